using NamedPipeShim.Samples.Transfer;

// Exit codes: 0 all verified, 1 something failed, 2 bad usage.
try
{
    return CommandLine.Parse(args).Run();
}
catch (UsageException exception)
{
    Console.Error.WriteLine($"transfer: {exception.Message}");
    Console.Error.WriteLine();
    Console.Error.WriteLine(CommandLine.Usage);
    return 2;
}
catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or DllNotFoundException)
{
    Console.Error.WriteLine($"transfer: {exception.Message}");
    return 1;
}
