namespace NamedPipeShim.Kestrel.Tests;

/// <summary>A change of what others may use shows in the diff of PublicAPI.txt.</summary>
public class PublicApiTests
{
    [Test]
    public void PublicApi_IsTheListedOne() =>
        NamedPipeShim.Tests.PublicApiListing.Check(typeof(NamedPipeShimTransportFactory).Assembly);
}
