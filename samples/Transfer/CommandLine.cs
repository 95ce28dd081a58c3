using System.Globalization;

namespace NamedPipeShim.Samples.Transfer;

/// <summary>What the user asked for: a command to run.</summary>
internal sealed class CommandLine
{
    public const string Usage = """
        transfer: moves files through a named pipe and verifies them by SHA-256.

          transfer                                     moves a file of the .NET runtime from one thread
                                                       of this process to another
          transfer serve NAME [--out DIR] [--count N]  receives from many senders at once, on one thread
          transfer send NAME FILE... [--wait SECONDS]  sends files to a `serve` of the same user

          --out DIR       keep the received files there, under the names they come with; a name that is taken
                          is refused. Without it files are only verified and counted
          --count N       stop after N transfers, good or bad; otherwise on Ctrl+C
          --wait SECONDS  how long to try while the receiver is not there or busy (default 10)
          --              what follows is no option
          --help          this text

        Exit code: 0 everything was verified, 1 something failed, 2 bad usage.
        """;

    private static readonly TimeSpan s_defaultWait = TimeSpan.FromSeconds(10);

    private readonly Func<int> _run;

    private CommandLine(Func<int> run)
    {
        _run = run;
    }

    /// <exception cref="UsageException">The arguments are no command.</exception>
    public static CommandLine Parse(string[] args)
    {
        List<string> operands = [];
        string? folder = null;
        int? count = null;
        TimeSpan? wait = null;
        bool optionsEnded = false;
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case var operand when optionsEnded || !operand.StartsWith('-'):
                    operands.Add(operand);
                    break;
                case "--":
                    optionsEnded = true;
                    break;
                case "--help" or "-h" or "-?":
                    return new CommandLine(ShowHelp);
                case "--out":
                    folder = ValueOf(args, ref i);
                    break;
                case "--count":
                    count = (int)NumberOf(args, ref i, 1, int.MaxValue);
                    break;
                case "--wait":
                    wait = TimeSpan.FromSeconds(NumberOf(args, ref i, 0, 86_400));
                    break;
                default:
                    throw new UsageException($"there is no option {args[i]}");
            }
        }

        string command = operands.Count == 0 ? "" : operands[0];
        if (command != "serve" && (folder is not null || count is not null))
        {
            throw new UsageException("--out and --count belong to serve");
        }

        if (command != "send" && wait is not null)
        {
            throw new UsageException("--wait belongs to send");
        }

        return command switch
        {
            "" => new CommandLine(LoopbackCommand.Run),
            "serve" when operands.Count == 2 => new CommandLine(() => ServeCommand.Run(operands[1], folder, count)),
            "serve" => throw new UsageException("serve takes one NAME"),
            "send" when operands.Count >= 3 => new CommandLine(
                () => SendCommand.Run(operands[1], operands[2..], wait ?? s_defaultWait)),
            "send" => throw new UsageException("send takes a NAME and at least one FILE"),
            "help" => new CommandLine(ShowHelp),
            _ => throw new UsageException($"there is no command {command}"),
        };
    }

    /// <returns>The exit code.</returns>
    public int Run()
    {
        try
        {
            return _run();
        }
        catch (ArgumentException exception) when (exception.ParamName == nameof(NamedPipeClientOptions.Name))
        {
            throw new UsageException(exception.Message);
        }
    }

    private static int ShowHelp()
    {
        Console.WriteLine(Usage);
        return 0;
    }

    private static string ValueOf(string[] args, ref int i) =>
        ++i < args.Length && args[i].Length > 0 ? args[i] : throw new UsageException($"{args[i - 1]} needs a value");

    private static double NumberOf(string[] args, ref int i, double least, double most)
    {
        string option = args[i];
        NumberStyles style = most > 1_000_000 ? NumberStyles.None : NumberStyles.AllowDecimalPoint;
        return double.TryParse(ValueOf(args, ref i), style, CultureInfo.InvariantCulture, out double number)
            && number >= least && number <= most
            ? number
            : throw new UsageException($"{option} takes a number from {least} to {most}, not {args[i]}");
    }
}
