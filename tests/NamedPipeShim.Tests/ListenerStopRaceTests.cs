using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>When Stop or Dispose has returned the name is nobody's, whatever the loop and other accepts were doing at that moment (C10).</summary>
[LinuxTests] // where the name is free at once
public sealed class ListenerStopRaceTests
{
    private const int Rounds = 2_000;

    [Test]
    public async Task Dispose_WhileAClientIsBeingTaken_LeavesNoName()
    {
        string name = PipeNames.New();
        for (int round = 0; round < Rounds; round++)
        {
            NamedPipeListener listener = NamedPipeListener.Listen(name);
            await using (NamedPipeStream client = await NamedPipeStream.ConnectAsync(name))
            {
            }

            listener.Dispose();
            AssertNobodyServes(name, round);
        }
    }

    [Test]
    public async Task Stop_WhileAnAcceptMakesTheNextInstance_LeavesNoName()
    {
        string name = PipeNames.New();
        for (int round = 0; round < Rounds; round++)
        {
            NamedPipeListener listener = NamedPipeListener.Listen(name);
            using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name);
            Deadline.WaitFor(() => listener.ConnectedCount == 1, "The client's arrival");
            using Barrier together = new(2);
            Task<NamedPipeStream> accepting = Task.Run(async () =>
            {
                together.SignalAndWait();
                return await listener.AcceptAsync();
            });
            together.SignalAndWait();
            listener.Stop();
            AssertNobodyServes(name, round);
            (await accepting.InTime()).Dispose();
        }
    }

    private static void AssertNobodyServes(string name, int round)
    {
        NamedPipeException? error = Assert.Throws<NamedPipeException>(() => NamedPipe.OpenClient(name).Dispose(), $"Round {round}");
        Assert.That(error!.Error, Is.EqualTo(NamedPipeError.NotFound), $"Round {round}");
    }
}
