namespace NamedPipeShim;

/// <summary>Whose server a client may connect to. Another one is <see cref="NamedPipeError.AccessDenied"/>.</summary>
public enum PipeServerOwner
{
    /// <summary>Linux: our own user's or root's. Windows: anybody's, who can learn who we are, and no more (contract
    /// K3).</summary>
    Default = 0,

    /// <summary>Our own user's only, as with <see cref="System.IO.Pipes.PipeOptions.CurrentUserOnly"/>.</summary>
    CurrentUser = 1,

    /// <summary>Anybody's.</summary>
    Anyone = 2,
}
