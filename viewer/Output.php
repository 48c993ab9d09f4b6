<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * A stream to write to, with or without colour. What comes in must be safe (see Text).
 *
 * With a pager it is held back until it ends or is longer than the terminal; then the pager gets it.
 */
final class Output
{
	private const STYLES = [
		'bold' => '1', 'dim' => '2', 'red' => '31', 'green' => '32', 'yellow' => '33',
		'blue' => '34', 'magenta' => '35', 'cyan' => '36', 'error' => '1;31', 'id' => '33',
		'head' => '1', 'rule' => '2', 'under' => '4',
	];

	/** What is drawn with, and what stands for it where the locale is not UTF-8: as wide. */
	private const ASCII = ['├─' => '|-', '└─' => '`-', '│' => '|', '━' => '=', '╺' => '=', '╸' => '=',
		'─' => '-', '╶' => '-', '╴' => '-', '╼' => '=', '╾' => '=', '╷' => '|', '┊' => ':', '✗' => 'x',
		'×' => 'x', '…' => '~', '⋯' => '~', '·' => '|', '↗' => '>', '↑' => '^', '•' => '*', 'µ' => 'u',
		'≥' => '>'];

	private const PIPE_CLOSED = 32;

	private string $buffer = '';
	private int $lines = 0;
	private bool $isHeld = false;
	private ?Pager $pager = null;

	/** @param resource $stream */
	public function __construct(
		private $stream,
		public readonly bool $color,
		public readonly bool $terminal,
		public readonly int $columns,
		private readonly bool $unicode = true,
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
			self::columns($env, $terminal), $env->isUnicode());
	}

	/** $COLUMNS, else the terminal's own width, else 80; what goes elsewhere is no wider than 100. */
	private static function columns(Environment $env, bool $terminal): int
	{
		$columns = (int) $env->get('COLUMNS');
		if ($columns <= 0) {
			$known = $env->terminalSize()[1];
			$columns = $terminal ? ($known ?: 80) : min($known ?: 100, 100);
		}
		return max(40, min($columns, 1000));
	}

	public function page(Pager $pager): void
	{
		$this->pager = $pager;
		$this->isHeld = true;
	}

	/** Whether what is written here may appear after what is written to the terminal otherwise. */
	public function isPaged(): bool
	{
		return $this->pager !== null;
	}

	public function paint(string $style, string $text): string
	{
		if (!$this->color || $text === '' || $style === '') {
			return $text;
		}
		return "\e[" . self::STYLES[$style] . 'm' . $text . "\e[0m";
	}

	/** A line for people. */
	public function line(string $text = ''): void
	{
		$text = rtrim($text, ' ') . "\n";
		$this->write($this->unicode ? $text : strtr($text, self::ASCII));
	}

	/** A line for programs. */
	public function json(mixed $value, bool $pretty = false): void
	{
		$this->write(Json::encode($value, $pretty) . "\n");
	}

	/** As it is. */
	public function write(string $text): void
	{
		$this->buffer .= $text;
		if ($this->isHeld) {
			$this->lines += substr_count($text, "\n");
			if ($this->lines >= $this->pager->rows) {
				$this->isHeld = false;
				$this->stream = $this->pager->start() ?? $this->stream;
			}
		}
		if (strlen($this->buffer) > 65536) {
			$this->flush();
		}
	}

	public function flush(): void
	{
		while ($this->buffer !== '' && !$this->isHeld) {
			error_clear_last();
			$written = @fwrite($this->stream, $this->buffer);
			if ($written === false || $written === 0) {
				$this->buffer = '';
				throw self::failure(error_get_last()['message'] ?? '');
			}
			$this->buffer = substr($this->buffer, $written);
		}
	}

	/** The end of the output. */
	public function finish(): void
	{
		$this->isHeld = false;
		try {
			$this->flush();
		} finally {
			if ($this->pager !== null && $this->stream !== STDOUT) {
				fclose($this->stream);
				$this->stream = STDOUT;
				$this->pager->wait();
			}
			$this->pager = null;
		}
	}

	private static function failure(string $message): \RuntimeException
	{
		if (preg_match('/errno=(\d+) (.*)$/D', $message, $m) !== 1) {
			return new Problem('the output could not be written');
		}
		return (int) $m[1] === self::PIPE_CLOSED ? new ClosedPipe()
			: new Problem("the output could not be written: $m[2]");
	}
}
