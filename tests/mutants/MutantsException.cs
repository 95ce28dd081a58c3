namespace NamedPipeShim.Mutants;

/// <summary>The run cannot go on; the message says why.</summary>
internal sealed class MutantsException(string message) : Exception(message);
