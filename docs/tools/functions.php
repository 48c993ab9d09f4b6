<?php
// Prints docs/functions.md from opa.stub.php. Run by ./dev docs; needs the tokenizer extension.

$stub = dirname(__DIR__, 2) . '/opa.stub.php';
$tokens = token_get_all(file_get_contents($stub));

/** The lines of a doc comment without its stars. */
function doc_lines(string $comment): array
{
    $comment = preg_replace('~^/\*\*|\*/$~', '', $comment);
    $lines = array_map(
        fn (string $line): string => preg_replace('~^\s*\* ?~', '', rtrim($line)),
        explode("\n", trim($comment, "\n "))
    );
    return array_map(fn (string $line): string => rtrim($line), $lines);
}

/** Text and @param/@return of a comment; a line that goes on belongs to the tag above it. */
function parse_doc(string $comment): array
{
    $text = [];
    $tags = [];
    foreach (doc_lines($comment) as $line) {
        if (preg_match('~^@(\w+)\s*(.*)$~', $line, $m)) {
            $tags[] = [$m[1], $m[2]];
        } elseif ($tags !== [] && trim($line) !== '') {
            $tags[count($tags) - 1][1] .= ' ' . trim($line);
        } elseif ($tags === []) {
            $text[] = $line;
        }
    }
    return [trim(implode("\n", $text)), $tags];
}

$intro = null;
$constants = [];
$functions = [];
$comment = null;
for ($i = 0; $i < count($tokens); $i++) {
    $token = $tokens[$i];
    if (!is_array($token)) {
        continue;
    }
    if ($token[0] === T_DOC_COMMENT) {
        $comment = $token[1];
        if ($intro === null) {
            [$intro] = parse_doc($comment);
        }
    } elseif ($token[0] === T_CONST) {
        $constants[] = $tokens[$i + 2][1];
    } elseif ($token[0] === T_FUNCTION) {
        $signature = '';
        for ($j = $i + 2; $tokens[$j] !== '{'; $j++) {
            $signature .= is_array($tokens[$j]) ? $tokens[$j][1] : $tokens[$j];
        }
        $functions[trim($signature)] = parse_doc($comment);
    }
}

echo "# Functions\n\nMade from `opa.stub.php` by `./dev docs`.\n\n$intro\n\n";
echo "Constants: `" . implode('`, `', $constants) . "`.\n";
foreach ($functions as $signature => [$text, $tags]) {
    $name = strstr($signature, '(', true);
    echo "\n## `$name`\n\n```php\n$signature\n```\n\n$text\n";
    $lines = '';
    foreach ($tags as [$tag, $value]) {
        if ($tag === 'param' && preg_match('~^(.*?)(\$\w+)\s+(\S.*)$~', $value, $m)) {
            $lines .= "\n- `{$m[2]}`: {$m[3]}";
        } elseif ($tag === 'return' && preg_match('~^(?:[^\s<]|<[^>]*>)+\s+(\S.*)$~', $value, $m)) {
            $lines .= "\n- returns {$m[1]}";
        }
    }
    echo $lines === '' ? '' : "$lines\n";
}
