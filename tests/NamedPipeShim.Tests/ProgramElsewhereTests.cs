using System.Diagnostics;
using System.Text.RegularExpressions;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>A project outside the repository, which none of its build files reach, has the library with the lines of the README.</summary>
[LinuxTests] // which has the SDK wherever the tests run
public sealed class ProgramElsewhereTests
{
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    private const string Program = """
        using NamedPipeShim;
        using NamedPipeListener listener = NamedPipeListener.Listen(args[0]);
        ValueTask<NamedPipeStream> accepted = listener.AcceptAsync();
        await using NamedPipeStream client = await NamedPipeStream.ConnectAsync(args[0]);
        await client.WriteAsync("served"u8.ToArray());
        await using NamedPipeStream server = await accepted;
        byte[] read = new byte[6];
        await server.ReadExactlyAsync(read);
        Console.Write(System.Text.Encoding.UTF8.GetString(read));
        """;

    private string _folder = string.Empty;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("nps-elsewhere-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Project_WithTheLinesOfTheReadme_BuildsAndRuns()
    {
        File.WriteAllText(Path.Combine(_folder, "Program.cs"), Program);
        File.WriteAllText(Path.Combine(_folder, "Elsewhere.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
            {LinesOfTheReadme().Replace("../NamedPipeShim/", Repository() + "/", StringComparison.Ordinal)}
            </Project>
            """);

        // The library itself is built: these tests run. Nobody else's build is disturbed so.
        (int code, string said) = await RunAsync("dotnet", "build", "-c", Configuration, "-p:BuildProjectReferences=false", "-nodeReuse:false");
        Assert.That(code, Is.Zero, said);
        (code, said) = await RunAsync("dotnet", Path.Combine("bin", Configuration, "net10.0", "Elsewhere.dll"), PipeNames.New());
        Assert.That(said, Is.EqualTo("served"));
        Assert.That(code, Is.Zero);
    }

    private static string LinesOfTheReadme() =>
        Regex.Match(AbiTestResource.Text("docs/README.md"), "```xml\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;

    private static string Repository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "NamedPipeShim.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("The tests run outside the repository.");
    }

    private async Task<(int Code, string Said)> RunAsync(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // What the runner of these tests has set for itself and its collectors is not for a build.
        foreach (string name in start.Environment.Keys.Where(IsTheRunners).ToArray())
        {
            start.Environment.Remove(name);
        }

        using CancellationTokenSource time = new(TimeSpan.FromSeconds(150));
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(time.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(time.Token);
            await process.WaitForExitAsync(time.Token);
            return (process.ExitCode, await output + await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static bool IsTheRunners(string name) =>
        name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("CORECLR_", StringComparison.Ordinal)
        || name.StartsWith("DOTNET_STARTUP_HOOKS", StringComparison.Ordinal);
}
