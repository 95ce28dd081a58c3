namespace NamedPipeShim.Samples.Guide;

/// <summary>Ends the program when something is not as the guide says.</summary>
internal static class Check
{
    public static void That(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"Not so: {what}");
        }
    }
}
