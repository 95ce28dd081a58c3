using System.Diagnostics;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>A process that ends right after a write: what the write has accepted arrives, though its peer reads late.</summary>
public class ProcessExitTests
{
    // Windows: longer than a process needs to end that does not wait for its bytes. Linux: it ends, on a busy machine too.
    private static readonly TimeSpan s_whileNobodyReads = OperatingSystem.IsLinux() ? Deadline.Step : TimeSpan.FromSeconds(1);

    [TestCase(ExitingClient.Disposes)]
    [TestCase(ExitingClient.LeavesOpen)]
    [Category("W4")]
    public async Task WhatWasAccepted_OutlivesTheProcess(string how)
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using Process client = ExitingClient.Start(name, how);
        await using NamedPipeStream stream = await listener.AcceptAsync().InTime();
        Deadline.WaitFor(() => stream.Pipe.BytesAvailable > 0, "the write");

        // On Windows the last of them are still in the library's hands there; on Linux the system has them all.
        Assert.That(client.WaitForExit(s_whileNobodyReads), Is.EqualTo(OperatingSystem.IsLinux()));
        byte[] received = new byte[ExitingClient.Bytes + 1];
        int count = 0;
        for (int read = -1; read != 0; count += read)
        {
            read = await stream.ReadAsync(received.AsMemory(count)).InTime();
        }

        Assert.That(count, Is.EqualTo(ExitingClient.Bytes));
        Pattern.Verify(received.AsSpan(0, count));
        Assert.That(client.WaitForExit(Deadline.Step), Is.True);
        Assert.That(client.ExitCode, Is.Zero);
    }

    [TestCase(ExitingClient.Disposes)]
    [TestCase(ExitingClient.LeavesOpen)]
    public async Task APeerThatNeverReads_KeepsNoProcess(string how)
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using Process client = ExitingClient.Start(name, how);
        await using NamedPipeStream stream = await listener.AcceptAsync().InTime();
        Assert.That(client.WaitForExit(Deadline.Step), Is.True);
        Assert.That(client.ExitCode, Is.Zero);
    }
}
