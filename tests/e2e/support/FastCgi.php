<?php

declare(strict_types=1);

namespace Opa\Tests;

/** One request to PHP-FPM itself, with variables as some web server would have made them. */
final class FastCgi
{
	private const BEGIN = 1;
	private const END = 3;
	private const PARAMS = 4;
	private const STDIN = 5;
	private const STDOUT = 6;

	/**
	 * What stands behind the answer's headers.
	 * @param array<string, string> $variables
	 */
	public static function body(string $socket, array $variables): string
	{
		$stream = stream_socket_client("unix://$socket", $code, $message, 10);
		stream_set_timeout($stream, 10);
		$pairs = '';
		foreach ($variables as $name => $value) {
			$pairs .= self::length($name) . self::length($value) . $name . $value;
		}
		fwrite($stream, self::record(self::BEGIN, pack('nCx5', 1, 0)) . self::record(self::PARAMS, $pairs)
			. self::record(self::PARAMS, '') . self::record(self::STDIN, ''));
		$answer = '';
		while (strlen($header = (string) fread($stream, 8)) === 8) {
			['type' => $type, 'length' => $length, 'padding' => $padding] = unpack('Cversion/Ctype/nid/nlength/Cpadding', $header);
			for ($content = ''; strlen($content) < $length + $padding && !feof($stream);) {
				$content .= fread($stream, $length + $padding - strlen($content));
			}
			if ($type === self::STDOUT) {
				$answer .= substr($content, 0, $length);
			}
			if ($type === self::END) {
				break;
			}
		}
		return (string) (explode("\r\n\r\n", $answer, 2)[1] ?? '');
	}

	private static function record(int $type, string $content): string
	{
		return pack('CCnnxx', 1, $type, 1, strlen($content)) . $content;
	}

	private static function length(string $text): string
	{
		return strlen($text) < 128 ? chr(strlen($text)) : pack('N', strlen($text) | 1 << 31);
	}
}
