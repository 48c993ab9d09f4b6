<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Text from a store is anybody's text: a request's URL, an exception's message. Here it becomes
 * something that can be shown: valid UTF-8 without anything that moves the cursor, changes the
 * terminal's state or the direction of writing. And it is measured in columns, not in bytes.
 */
final class Text
{
	/** C0, DEL, C1; then what is invisible or reorders: zero-width, bidi controls, BOM, tags. */
	private const UNSAFE = '/[\x00-\x1f\x7f\x{80}-\x{9f}\x{ad}\x{61c}\x{180e}\x{200b}-\x{200f}'
		. '\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]/u';

	private const WIDE = '/[\x{1100}-\x{115f}\x{231a}\x{231b}\x{2329}\x{232a}\x{23e9}-\x{23ec}\x{23f0}'
		. '\x{23f3}\x{25fd}\x{25fe}\x{2614}\x{2615}\x{2648}-\x{2653}\x{267f}\x{2693}\x{26a1}\x{26aa}'
		. '\x{26ab}\x{26bd}\x{26be}\x{26c4}\x{26c5}\x{26ce}\x{26d4}\x{26ea}\x{26f2}\x{26f3}\x{26f5}'
		. '\x{26fa}\x{26fd}\x{2705}\x{270a}\x{270b}\x{2728}\x{274c}\x{274e}\x{2753}-\x{2755}\x{2757}'
		. '\x{2795}-\x{2797}\x{27b0}\x{27bf}\x{2b1b}\x{2b1c}\x{2b50}\x{2b55}\x{2e80}-\x{303e}'
		. '\x{3041}-\x{33ff}\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{a000}-\x{a4cf}\x{a960}-\x{a97f}'
		. '\x{ac00}-\x{d7a3}\x{f900}-\x{faff}\x{fe10}-\x{fe19}\x{fe30}-\x{fe6f}\x{ff00}-\x{ff60}'
		. '\x{ffe0}-\x{ffe6}\x{16fe0}-\x{16fe4}\x{17000}-\x{18cd5}\x{1b000}-\x{1b2fb}\x{1f004}'
		. '\x{1f0cf}\x{1f18e}\x{1f191}-\x{1f19a}\x{1f200}-\x{1f320}\x{1f32d}-\x{1f335}'
		. '\x{1f337}-\x{1f37c}\x{1f37e}-\x{1f393}\x{1f3a0}-\x{1f3ca}\x{1f3cf}-\x{1f3d3}'
		. '\x{1f3e0}-\x{1f3f0}\x{1f3f4}\x{1f3f8}-\x{1f43e}\x{1f440}\x{1f442}-\x{1f4fc}'
		. '\x{1f4ff}-\x{1f53d}\x{1f54b}-\x{1f54e}\x{1f550}-\x{1f567}\x{1f57a}\x{1f595}\x{1f596}'
		. '\x{1f5a4}\x{1f5fb}-\x{1f64f}\x{1f680}-\x{1f6c5}\x{1f6cc}\x{1f6d0}-\x{1f6d2}'
		. '\x{1f6d5}-\x{1f6df}\x{1f6eb}\x{1f6ec}\x{1f6f4}-\x{1f6fc}\x{1f7e0}-\x{1f7f0}'
		. '\x{1f90c}-\x{1f93a}\x{1f93c}-\x{1f945}\x{1f947}-\x{1f9ff}\x{1fa70}-\x{1faff}'
		. '\x{20000}-\x{3fffd}]/u';

	private const MARKS = '/[\p{Mn}\p{Me}\x{1160}-\x{11ff}\x{200b}-\x{200f}\x{feff}]/u';

	/** One line, whatever was in it: what must not reach a terminal is shown as an escape. */
	public static function safe(string $text): string
	{
		if (preg_match('/[^\x20-\x7e]/', $text) === 0) {
			return $text;
		}
		return preg_replace_callback(self::UNSAFE, self::escape(...), self::utf8($text));
	}

	/** Lines in which nothing but text and colours is left. */
	public static function painted(string $text): string
	{
		$parts = preg_split('/(\n|\e\[[0-9;]{0,12}m)/', $text, -1, PREG_SPLIT_DELIM_CAPTURE);
		foreach ($parts as $i => $part) {
			$parts[$i] = $i % 2 === 1 ? $part : self::safe($part);
		}
		return implode('', $parts);
	}

	/**
	 * The text's own lines, each made safe.
	 * @return list<string>
	 */
	public static function lines(string $text): array
	{
		$lines = preg_split('/\r\n|\n|\r/', rtrim($text, "\r\n"));
		return array_map(static fn (string $l): string
			=> self::safe(str_replace("\t", '    ', $l)), $lines);
	}

	/** JSON text in which nothing is left that a terminal would obey. It stays the same value. */
	public static function safeJson(string $json): string
	{
		return preg_replace_callback(self::UNSAFE, static function (array $m): string {
			return match ($m[0]) {
				"\n" => "\n", // what pretty printing puts between values: inside them it is escaped
				"\x7f" => '\u007f',
				default => trim(json_encode($m[0]), '"'),
			};
		}, $json);
	}

	/** Valid UTF-8; what was not becomes U+FFFD. */
	public static function utf8(string $text): string
	{
		if (preg_match('//u', $text) === 1) {
			return $text;
		}
		return htmlspecialchars_decode(
			htmlspecialchars($text, ENT_NOQUOTES | ENT_SUBSTITUTE, 'UTF-8'), ENT_NOQUOTES);
	}

	/** How many columns of a terminal it takes. */
	public static function width(string $text): int
	{
		if (preg_match('/[\x80-\xff]/', $text) === 0) {
			return strlen($text);
		}
		return self::characters($text) + preg_match_all(self::WIDE, $text)
			- preg_match_all(self::MARKS, $text);
	}

	/** At most that many columns; what is cut off is shown by an ellipsis. */
	public static function cut(string $text, int $columns): string
	{
		if (strlen($text) <= $columns || self::width($text) <= $columns) {
			return $text;
		}
		if ($columns < 1) {
			return '';
		}
		return self::take($text, $columns - 1) . '…';
	}

	/** Cut in the middle, where both ends matter: a path. */
	public static function cutMiddle(string $text, int $columns): string
	{
		if ($columns < 9 || self::width($text) <= $columns || preg_match('/[\x80-\xff]/', $text)) {
			return self::cut($text, $columns);
		}
		$tail = intdiv($columns, 2);
		return substr($text, 0, $columns - 1 - $tail) . '…' . substr($text, -$tail);
	}

	/** Exactly that many columns. */
	public static function fit(string $text, int $columns): string
	{
		$text = self::cut($text, $columns);
		return $text . str_repeat(' ', max(0, $columns - self::width($text)));
	}

	public static function right(string $text, int $columns): string
	{
		return str_repeat(' ', max(0, $columns - self::width($text))) . $text;
	}

	/**
	 * Lines of at most that many columns, broken at spaces where there are any.
	 * @return list<string>
	 */
	public static function wrap(string $text, int $columns): array
	{
		$columns = max(2, $columns);
		$lines = [];
		$line = '';
		$used = $behindSpace = 0;
		for ($i = 0, $end = strlen($text); $i < $end; $i += strlen($character)) {
			$byte = ord($text[$i]);
			$character = $byte < 0x80 ? $text[$i]
				: substr($text, $i, $byte < 0xe0 ? 2 : ($byte < 0xf0 ? 3 : 4));
			$width = $byte < 0x80 ? 1 : self::width($character);
			if ($used + $width > $columns) {
				$isEnd = $character === ' ' || $behindSpace <= strlen($line) / 3;
				$at = $isEnd ? strlen($line) : $behindSpace;
				$lines[] = rtrim(substr($line, 0, $at));
				$line = substr($line, $at);
				$used = self::width($line);
				$behindSpace = 0;
				if ($character === ' ') {
					continue;
				}
			}
			$line .= $character;
			$used += $width;
			$behindSpace = $character === ' ' ? strlen($line) : $behindSpace;
		}
		$lines[] = $line;
		return $lines;
	}

	private static function take(string $text, int $columns): string
	{
		if (preg_match('/[\x80-\xff]/', substr($text, 0, $columns + 4)) === 0) {
			return substr($text, 0, $columns);
		}
		$taken = '';
		$used = 0;
		foreach (preg_split('//u', $text, -1, PREG_SPLIT_NO_EMPTY) as $character) {
			$used += self::width($character);
			if ($used > $columns) {
				break;
			}
			$taken .= $character;
		}
		return $taken;
	}

	private static function characters(string $text): int
	{
		return strlen($text) - preg_match_all('/[\x80-\xbf]/', $text);
	}

	/** @param array{string} $match */
	private static function escape(array $match): string
	{
		$known = ["\n" => '\n', "\r" => '\r', "\t" => '\t', "\e" => '\e', "\0" => '\0'];
		$c = $match[0];
		if (isset($known[$c])) {
			return $known[$c];
		}
		if (strlen($c) === 1) {
			return sprintf('\x%02x', ord($c));
		}
		return sprintf('\u{%x}', self::codepoint($c));
	}

	private static function codepoint(string $c): int
	{
		$bits = ord($c[0]) & (0xff >> (strlen($c) + 1));
		for ($i = 1; $i < strlen($c); $i++) {
			$bits = $bits << 6 | (ord($c[$i]) & 0x3f);
		}
		return $bits;
	}
}
