<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A stream to write to, with or without colour. What comes in must be safe (see Text). */
final class Output
{
	private const STYLES = [
		'bold' => '1', 'dim' => '2', 'red' => '31', 'green' => '32', 'yellow' => '33',
		'blue' => '34', 'magenta' => '35', 'cyan' => '36', 'error' => '1;31', 'id' => '33',
		'head' => '1', 'rule' => '2', 'under' => '4',
	];

	private string $buffer = '';

	/** @param resource $stream */
	public function __construct(
		private $stream,
		public readonly bool $color,
		public readonly bool $terminal,
		public readonly int $columns,
	) {
	}

	/**
	 * @param resource $stream
	 * @param string $color auto, always or never
	 */
	public static function open($stream, Environment $env, string $color): self
	{
		$terminal = $env->isTerminal($stream);
		stream_set_blocking($stream, true);
		$auto = $terminal && $env->get('NO_COLOR') === null && $env->get('TERM') !== 'dumb';
		return new self($stream, $color === 'always' || ($color === 'auto' && $auto), $terminal,
			self::columns($env, $terminal));
	}

	/** $COLUMNS, else the terminal's own width, else 80; 100 for what goes elsewhere. */
	private static function columns(Environment $env, bool $terminal): int
	{
		$columns = (int) $env->get('COLUMNS');
		if ($columns <= 0 && $terminal) {
			$columns = self::askTerminal() ?: 80;
		}
		return $columns > 0 ? max(40, min($columns, 1000)) : 100;
	}

	private static function askTerminal(): int
	{
		if (!function_exists('shell_exec')) {
			return 0;
		}
		$size = (string) shell_exec('{ stty size </dev/tty || stty size; } 2>/dev/null');
		return (int) (explode(' ', trim($size))[1] ?? 0);
	}

	public function paint(string $style, string $text): string
	{
		if (!$this->color || $text === '' || $style === '') {
			return $text;
		}
		return "\e[" . self::STYLES[$style] . 'm' . $text . "\e[0m";
	}

	public function line(string $text = ''): void
	{
		$this->write(rtrim($text, ' ') . "\n");
	}

	public function write(string $text): void
	{
		$this->buffer .= $text;
		if (strlen($this->buffer) > 65536) {
			$this->flush();
		}
	}

	public function flush(): void
	{
		while ($this->buffer !== '') {
			$written = @fwrite($this->stream, $this->buffer);
			if ($written === false || $written === 0) {
				$this->buffer = '';
				throw new ClosedPipe();
			}
			$this->buffer = substr($this->buffer, $written);
		}
	}
}
