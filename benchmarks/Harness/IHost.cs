namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>Where the contestants run: this system, or Wine.</summary>
internal interface IHost : IDisposable
{
    /// <summary>For the results: <c>linux</c>, <c>windows</c>, <c>windows (wine)</c>.</summary>
    string Os { get; }

    /// <summary>How long a play of about a tenth of a second may take, with everything around it.</summary>
    TimeSpan AnswerTime { get; }

    /// <summary>
    /// Whether a child's processor time tells its cost: under Wine most of the work is done by Wine's server.
    /// </summary>
    bool HasProcessorTime { get; }

    /// <summary>Whether the base class library's pipes are sockets.</summary>
    bool HasSocketPipes { get; }

    /// <summary>How a contestant's program is started.</summary>
    CommandLine CommandFor(string who);

    /// <summary>Counts system calls (or what stands for them); null where that is not possible.</summary>
    ICallCounter? CallCounter { get; }

    /// <summary>Why <see cref="CallCounter"/> is null.</summary>
    string? CallCounterNote { get; }

    /// <summary>Private memory of a child, in bytes; null where it cannot be told from outside.</summary>
    long? PrivateMemory(int processId);
}
