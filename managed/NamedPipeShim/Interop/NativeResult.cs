using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>An nps_result: the status in the upper 32 bits (signed), its detail in the lower 32.</summary>
internal readonly struct NativeResult(long value)
{
    private readonly long _value = value;

    public bool IsError => _value < 0;

    public int Status => (int)(_value >> 32);

    public uint Detail => (uint)_value;

    public static implicit operator NativeResult(long value) => new(value);

    public bool Is(nps_status status) => Status == (int)status;
}
