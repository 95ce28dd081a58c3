namespace RpcSample;

/// <summary>What the server may call.</summary>
internal sealed class ClientTarget
{
    public int Double(int number) => 2 * number;
}
