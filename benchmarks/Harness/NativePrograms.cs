namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>The C contestants, which the harness builds itself: build/benchmarks/RID.</summary>
internal static class NativePrograms
{
    private static readonly TimeSpan s_buildTime = TimeSpan.FromMinutes(5);

    /// <summary>The folder with the solution, above the program.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Builds for <paramref name="rid"/> and returns the folder with the programs.</summary>
    public static string Build(string rid, string preset)
    {
        string folder = Path.Combine(Root, "build", "benchmarks", rid);
        List<string> configure =
            ["--preset", preset, "-S", Root, "-B", folder, "-DNPS_BUILD_TESTS=OFF", "-DNPS_BUILD_BENCHMARKS=ON"];
        if (!OperatingSystem.IsWindows() && !CommandLine.Exists("ninja"))
        {
            configure.AddRange(["-G", "Unix Makefiles"]);
        }

        _ = new CommandLine("cmake", [.. configure]).Run(s_buildTime);
        _ = new CommandLine("cmake", "--build", folder, "--config", "Release", "--target", "bench_floor", "bench_ours")
            .Run(s_buildTime);
        return Path.Combine(folder, "bench");
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "NamedPipeShim.sln")))
            {
                return folder.FullName;
            }
        }

        throw new BenchmarkException(
            "NamedPipeShim.sln is not above the program: run it with dotnet run --project benchmarks");
    }
}
