<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A program that is run to its end, or to the end of our patience. */
final class Child
{
	private const OUTPUT_MAX = 4_194_304;

	private function __construct(
		public readonly int $code,
		public readonly string $out,
		public readonly string $err,
		/** It did not start, or was ended because it took too long. */
		public readonly bool $failed,
	) {
	}

	/**
	 * @param list<string> $command
	 * @param ?array<string, string> $env null: ours
	 */
	public static function run(array $command, string $input = '', float $seconds = 10, ?array $env = null): self
	{
		$process = @proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes, '/', $env);
		if ($process === false) {
			return new self(127, '', 'it could not be started', true);
		}
		@fwrite($pipes[0], $input); // less than a pipe holds
		fclose($pipes[0]);
		[$texts, $isLate] = self::read([1 => $pipes[1], 2 => $pipes[2]], microtime(true) + $seconds);
		if ($isLate) {
			proc_terminate($process, 9);
		}
		fclose($pipes[1]);
		fclose($pipes[2]);
		$code = proc_close($process);
		return new self($code, $texts[1], $isLate ? "no answer within $seconds s" : trim($texts[2]), $isLate);
	}

	/**
	 * @param array<int, resource> $open
	 * @return array{array<int, string>, bool}
	 */
	private static function read(array $open, float $end): array
	{
		$texts = [1 => '', 2 => ''];
		while ($open !== [] && ($left = $end - microtime(true)) > 0) {
			$read = $open;
			$none = null;
			if ((int) @stream_select($read, $none, $none, 0, (int) min($left * 1e6, 200_000)) === 0) {
				continue;
			}
			foreach ($read as $i => $pipe) {
				$part = (string) fread($pipe, 65536);
				$texts[$i] .= $part;
				if (($part === '' && feof($pipe)) || strlen($texts[$i]) > self::OUTPUT_MAX) {
					unset($open[$i]);
				}
			}
		}
		return [$texts, $open !== []];
	}
}
