namespace NamedPipeShim;

/// <summary>Which readiness a registration wants to hear of. Closed and error are always reported (contract P8).</summary>
[Flags]
public enum PipeInterest
{
    /// <summary>Nothing; register and reregister refuse it.</summary>
    None = 0,

    /// <summary>A read will give data, end of stream or an error.</summary>
    Readable = 1,

    /// <summary>A write will accept bytes or fail; for a server: a client has connected.</summary>
    Writable = 2,

    /// <summary>Both.</summary>
    Both = Readable | Writable,

    /// <summary>
    /// Beside one of the others: the system watches the connection only for a call that has answered would-block. For
    /// programs that read and write first, and wait only when that fails: no other event is promised, and a short read or
    /// write does not arm, so go on until would-block (contract P10). A matter of cost alone.
    /// </summary>
    OnDemand = 4,
}
