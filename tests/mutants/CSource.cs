using System.Text;

namespace NamedPipeShim.Mutants;

/// <summary>A function's body in a C file: from its opening brace to the closing one.</summary>
internal sealed record CFunction(string Name, string Type, int Open, int Close);

/// <summary>
/// A C file as far as mutation must understand it: what is code, where functions begin and end. Written for this project's
/// formatting, not for any C.
/// </summary>
internal sealed class CSource
{
    private readonly List<CFunction> _functions = [];
    private readonly int[] _lineStarts;

    public CSource(string path, string text)
    {
        Path = path;
        Text = text;
        Code = Mask(text, keepStrings: false);
        CodeAndStrings = Mask(text, keepStrings: true);
        var starts = new List<int> { 0 };
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n')
            {
                starts.Add(i + 1);
            }
        }

        _lineStarts = [.. starts];
        FindFunctions();
    }

    /// <summary>Relative to the top of the repository.</summary>
    public string Path { get; }

    public string Text { get; }

    /// <summary>The text with blanks for comments, preprocessor lines, and what is inside quotes.</summary>
    public string Code { get; }

    /// <summary>The text with blanks for comments.</summary>
    public string CodeAndStrings { get; }

    public IReadOnlyList<CFunction> Functions => _functions;

    public int LineCount => _lineStarts.Length;

    public int LineStart(int line) => _lineStarts[line];

    public int LineEnd(int line) => line + 1 < LineCount ? _lineStarts[line + 1] - 1 : Text.Length;

    public int LineOf(int place)
    {
        int at = Array.BinarySearch(_lineStarts, place);
        return at >= 0 ? at : ~at - 1;
    }

    /// <summary>Where a line is: a function's name, or "" outside of all.</summary>
    public string FunctionAt(int place) =>
        _functions.Find(f => place >= LineStart(LineOf(f.Open)) && place <= f.Close)?.Name ?? "";

    /// <summary>A line's code, without comments and with single blanks: what a list calls it by.</summary>
    public string LineCode(int line) => Squeeze(CodeAndStrings[LineStart(line)..LineEnd(line)]);

    public static string Squeeze(string text) =>
        string.Join(' ', text.Split([' ', '\t', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));

    /// <summary>A line as a list gives it, without its comments.</summary>
    public static string SqueezeLine(string line) => Squeeze(Mask(line, keepStrings: true));

    /// <summary>The place of the bracket that closes the one at `open`.</summary>
    public int Closing(int open)
    {
        char opens = Code[open];
        char closes = opens == '(' ? ')' : opens == '{' ? '}' : ']';
        int depth = 0;
        for (int i = open; i < Code.Length; i++)
        {
            depth += Code[i] == opens ? 1 : Code[i] == closes ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        throw new MutantsException($"{Path}: a bracket is not closed");
    }

    private static string Mask(string text, bool keepStrings)
    {
        var masked = new StringBuilder(text);
        bool lineBegins = true;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n')
            {
                lineBegins = true;
            }
            else if (lineBegins && text[i] == '#' && !keepStrings)
            {
                i = Blank(masked, i, PreprocessorEnd(text, i)) - 1;
            }
            else if (text[i] == '/' && i + 1 < text.Length && text[i + 1] == '*')
            {
                int end = text.IndexOf("*/", i + 2, StringComparison.Ordinal);
                i = Blank(masked, i, end < 0 ? text.Length : end + 2) - 1;
            }
            else if (text[i] is '"' or '\'')
            {
                int end = QuoteEnd(text, i);
                if (!keepStrings)
                {
                    _ = Blank(masked, i + 1, end);
                }

                i = end;
            }
            else if (!char.IsWhiteSpace(text[i]))
            {
                lineBegins = false;
            }
        }

        return masked.ToString();
    }

    private static int PreprocessorEnd(string text, int from)
    {
        int end = from;
        while (end < text.Length && (text[end] != '\n' || text[end - 1] == '\\'))
        {
            end++;
        }

        return end;
    }

    private static int QuoteEnd(string text, int open)
    {
        int end = open + 1;
        while (end < text.Length && text[end] != text[open])
        {
            end += text[end] == '\\' ? 2 : 1;
        }

        return Math.Min(end, text.Length - 1);
    }

    private static int Blank(StringBuilder text, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            if (text[i] != '\n')
            {
                text[i] = ' ';
            }
        }

        return to;
    }

    private void FindFunctions()
    {
        int begin = 0; // of what stands at the top
        for (int i = 0; i < Code.Length; i++)
        {
            if (Code[i] is ';' or '}')
            {
                begin = i + 1;
            }
            else if (Code[i] == '{')
            {
                int close = Closing(i);
                string head = Squeeze(Code[begin..i]);
                if (head.EndsWith(')') && !head.Contains('='))
                {
                    AddFunction(head, i, close);
                }

                i = close;
                begin = close + 1;
            }
        }
    }

    private void AddFunction(string head, int open, int close)
    {
        int parenthesis = head.IndexOf('(', StringComparison.Ordinal);
        int name = parenthesis;
        while (name > 0 && (char.IsLetterOrDigit(head[name - 1]) || head[name - 1] == '_'))
        {
            name--;
        }

        string type = head[..name].Replace("static ", "", StringComparison.Ordinal)
            .Replace("inline ", "", StringComparison.Ordinal).Trim();
        _functions.Add(new CFunction(head[name..parenthesis], type, open, close));
    }
}
