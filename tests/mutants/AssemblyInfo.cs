// On Windows there is no test program under Wine to end, and no mode of a folder to set.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
