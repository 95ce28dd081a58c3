using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What the library tells of itself: its meter and its event source, with real listeners; and the names in exceptions.</summary>
public class StreamTelemetryTests
{
    [Test]
    public async Task Meter_CountsConnectionsBytesWouldBlocksCancelsAndErrors()
    {
        using Measurements measured = new();
        long openBefore = measured.Of("namedpipe.connections.open");
        long everBefore = measured.Of("namedpipe.connections");
        using (StreamPair pair = await StreamPair.NewAsync())
        {
            Assert.That(measured.Of("namedpipe.connections.open") - openBefore, Is.EqualTo(2));
            long read = measured.Of("namedpipe.bytes_read");
            long written = measured.Of("namedpipe.bytes_written");
            long blocked = measured.Of("namedpipe.would_blocks");
            byte[] buffer = new byte[300];
            ValueTask reading = pair.Server.ReadExactlyAsync(buffer); // would block
            await pair.Client.WriteAsync(new byte[300]).InTime();
            await reading.InTime();
            Assert.That(measured.Of("namedpipe.bytes_read") - read, Is.EqualTo(300));
            Assert.That(measured.Of("namedpipe.bytes_written") - written, Is.EqualTo(300));
            Assert.That(measured.Of("namedpipe.would_blocks") - blocked, Is.GreaterThanOrEqualTo(1));

            long cancels = measured.Of("namedpipe.cancellations");
            using CancellationTokenSource source = new();
            ValueTask<int> waiting = pair.Server.ReadAsync(buffer, source.Token);
            source.Cancel();
            Assert.CatchAsync<OperationCanceledException>(async () => await waiting.InTime());
            Assert.That(measured.Of("namedpipe.cancellations") - cancels, Is.EqualTo(1));

            pair.Client.Abort();
            Assert.That(await pair.Server.ReadAsync(buffer).InTime(), Is.Zero);
            Assert.ThrowsAsync<NamedPipeException>(async () => await pair.Server.WriteAsync(new byte[1]).InTime());
            Assert.That(measured.ErrorsOf("BrokenPipe"), Is.EqualTo(1));
        }

        Assert.ThrowsAsync<NamedPipeException>(async () => await NamedPipeStream.ConnectAsync(PipeNames.New()));
        Assert.That(measured.ErrorsOf("NotFound"), Is.EqualTo(1));
        Deadline.WaitFor(() => measured.Of("namedpipe.connections.open") == openBefore, "the end of both connections");
        Assert.That(measured.Of("namedpipe.connections") - everBefore, Is.EqualTo(2));
    }

    [Test]
    public async Task AMeterListenerThatThrows_DoesNotHideTheError()
    {
        using MeterListener listener = new();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "namedpipe.errors")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException());
        listener.Start();
        using StreamPair pair = await StreamPair.NewAsync();
        pair.Server.ReadTimeout = 1;
        NamedPipeException error = Assert.Throws<NamedPipeException>(() => pair.Server.ReadByte())!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.TimedOut));
    }

    [Test]
    public async Task ADrainThatIsCancelledOrFails_IsCountedOnce()
    {
        using Measurements measured = new();
        using StreamPair pair = await StreamPair.NewAsync(new NamedPipeServerOptions { Name = PipeNames.New(), ReadAhead = 0 });
        await pair.Server.WriteAsync(new byte[1]).InTime();
        long cancels = measured.Of("namedpipe.cancellations");
        using CancellationTokenSource source = new();
        Task draining = pair.Server.DrainAsync(source.Token).AsTask();
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => draining.InTime());
        Assert.That(measured.Of("namedpipe.cancellations") - cancels, Is.EqualTo(1));

        if (RunningSystem.IsWine)
        {
            return; // its FlushFileBuffers does not tell of the end
        }

        long errors = measured.ErrorsOf("BrokenPipe");
        draining = pair.Server.DrainAsync().AsTask();
        pair.Client.Abort(); // and has read nothing
        NamedPipeException error = Assert.ThrowsAsync<NamedPipeException>(() => draining.InTime())!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
        Assert.That(measured.ErrorsOf("BrokenPipe") - errors, Is.EqualTo(1));
    }

    [Test]
    public async Task AListenerWithAsManyClientsAsItMayHave_IsNoError()
    {
        using Measurements measured = new();
        await using NamedPipeListener listener =
            NamedPipeListener.Listen(new NamedPipeServerOptions { Name = PipeNames.New(), MaxInstances = 1 });
        using NamedPipeStream client = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = listener.Name, Timeout = Deadline.Step }).InTime();
        using NamedPipeStream server = await listener.AcceptAsync().InTime(); // there was a try to have the next instance
        Assert.That(measured.ErrorsOf("PipeBusy"), Is.Zero);
    }

    [Test]
    public async Task AStreamThatItsProgramForgot_IsNotCountedForEver()
    {
        using Measurements measured = new();
        long before = measured.Of("namedpipe.connections.open");
        await using NamedPipeEventLoop loop = new();
        await ForgetPair(loop);
        await Task.Yield(); // off the stack of what knew the streams
        Deadline.WaitFor(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return measured.Of("namedpipe.connections.open") == before;
            },
            "the end of the forgotten connections");
    }

    [Test]
    public async Task EventSource_TellsOfConnectionsListenersCancelsAndErrors()
    {
        using Events events = new(TimeSpan.Zero);
        string name = PipeNames.New();
        NamedPipeListener listener = NamedPipeListener.Listen(name);
        events.WaitFor("ListenerStarted", name);
        NamedPipeStream client = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step });
        NamedPipeStream server = await listener.AcceptAsync().InTime();
        object connection = events.WaitFor("ConnectionOpened", name).Payload![0]!;
        using (CancellationTokenSource source = new())
        {
            ValueTask<int> waiting = server.ReadAsync(new byte[1], source.Token);
            source.Cancel();
            Assert.CatchAsync<OperationCanceledException>(async () => await waiting.InTime());
        }

        events.WaitFor("OperationCancelled", name);
        client.Abort();
        Assert.That(await server.ReadAsync(new byte[1]).InTime(), Is.Zero);
        Assert.ThrowsAsync<NamedPipeException>(async () => await server.WriteAsync(new byte[1]).InTime());
        EventWrittenEventArgs failed = events.WaitFor("OperationFailed", name);
        Assert.That(failed.Payload![1], Is.EqualTo("BrokenPipe"));
        server.Abort();
        events.WaitFor("ConnectionClosed", connection);
        listener.Dispose();
        events.WaitFor("ListenerStopped", name);
    }

    [Test]
    public async Task EventSource_ShowsCounters()
    {
        using Events events = new(TimeSpan.FromMilliseconds(100));
        using StreamPair pair = await StreamPair.NewAsync();
        Task reading = ReadToTheEnd(pair.Server);
        Deadline deadline = Deadline.New();
        while (events.CounterOf("bytes-read") == 0 || events.CounterOf("connections-open") < 2)
        {
            await pair.Client.WriteAsync(new byte[100]).InTime(); // a rate: bytes must go on coming
            deadline.Check("a counter that shows bytes");
        }

        pair.Client.Dispose();
        await reading.InTime();
    }

    [Test]
    public async Task EveryException_NamesThePipe()
    {
        string name = PipeNames.New();
        AssertNames(name, Assert.CatchAsync(async () => await NamedPipeStream.ConnectAsync(name)));
        AssertNames(name, Assert.CatchAsync(async () => await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromMilliseconds(1) })));
        NamedPipeListener listener = NamedPipeListener.Listen(name);
        using NamedPipeStream client = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step });
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        listener.Dispose();
        AssertNames(name, Assert.CatchAsync(async () => await listener.AcceptAsync()));
        server.ReadTimeout = 1;
        AssertNames(name, Assert.Catch(() => server.ReadByte()));
        server.WriteTimeout = 1;
        AssertNames(name, Assert.Catch(() => server.Write(new byte[8 << 20])));
        ValueTask<int> reading = server.ReadAsync(new byte[1]);
        server.Abort();
        AssertNames(name, Assert.CatchAsync(async () => await reading.InTime()));
        AssertNames(name, Assert.CatchAsync(async () => await server.ReadExactlyAsync(new byte[1])));
        AssertNames(name, Assert.CatchAsync(async () => await server.WriteAsync(new byte[1])));
        AssertNames(name, Assert.CatchAsync(async () => await server.FlushAsync()));
    }

    private static void AssertNames(string name, Exception? error) => Assert.That(error!.Message, Does.Contain(name));

    private static async Task ForgetPair(NamedPipeEventLoop loop) => _ = await StreamPair.NewAsync(loop);

    private static async Task ReadToTheEnd(NamedPipeStream stream)
    {
        byte[] buffer = new byte[1_000];
        while (await stream.ReadAsync(buffer) > 0)
        {
        }
    }

    private sealed class Measurements : IDisposable
    {
        private readonly Dictionary<string, long> _last = [];
        private readonly Dictionary<string, long> _errors = [];
        private readonly MeterListener _listener = new();

        public Measurements()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "NamedPipeShim")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>(Take);
            _listener.Start();
            StreamPair.NewAsync().InTime().GetAwaiter().GetResult().Dispose(); // makes the instruments, if nobody has
        }

        public long Of(string instrument)
        {
            _listener.RecordObservableInstruments();
            lock (_last)
            {
                return _last[instrument];
            }
        }

        public long ErrorsOf(string type)
        {
            lock (_last)
            {
                return _errors.GetValueOrDefault(type);
            }
        }

        public void Dispose() => _listener.Dispose();

        private void Take(
            Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
        {
            lock (_last)
            {
                _last[instrument.Name] = value;
                if (instrument.Name == "namedpipe.errors")
                {
                    Assert.That(tags[0].Key, Is.EqualTo("error.type"));
                    string type = (string)tags[0].Value!;
                    _errors[type] = _errors.GetValueOrDefault(type) + value;
                }
            }
        }
    }

    private sealed class Events(TimeSpan interval) : EventListener
    {
        private readonly Lock _lock = new();
        private readonly List<EventWrittenEventArgs> _events = [];
        private readonly Dictionary<string, double> _counters = [];

        public EventWrittenEventArgs WaitFor(string name, object payload)
        {
            EventWrittenEventArgs? found = null;
            Deadline.WaitFor(
                () =>
                {
                    lock (_lock)
                    {
                        found = _events.Find(one => one.EventName == name && one.Payload!.Contains(payload));
                    }

                    return found is not null;
                },
                name);
            return found!;
        }

        public double CounterOf(string name)
        {
            lock (_lock)
            {
                return _counters.GetValueOrDefault(name);
            }
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "NamedPipeShim")
            {
                Dictionary<string, string?> arguments = [];
                if (interval > TimeSpan.Zero)
                {
                    arguments["EventCounterIntervalSec"] = interval.TotalSeconds.ToString("0.###");
                }

                EnableEvents(eventSource, EventLevel.Verbose, EventKeywords.All, arguments);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            lock (_lock)
            {
                if (eventData.EventName == "EventCounters")
                {
                    IDictionary<string, object?> payload = (IDictionary<string, object?>)eventData.Payload![0]!;
                    double value = (double)(payload.TryGetValue("Mean", out object? mean) ? mean : payload["Increment"])!;
                    string name = (string)payload["Name"]!;
                    _counters[name] = Math.Max(value, _counters.GetValueOrDefault(name));
                }
                else
                {
                    _events.Add(eventData);
                }
            }
        }
    }
}
