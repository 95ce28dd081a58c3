namespace NamedPipeShim.Tests.Support;

/// <summary>What the other end answered instead of a result.</summary>
internal sealed class JsonRpcException(string message) : Exception(message);
