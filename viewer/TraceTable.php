<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Traces as lines: what `opa list` and `opa tail` print. */
final class TraceTable
{
	private const MIN_NAME = 8;

	private readonly int $idWidth;
	private readonly int $timeWidth;
	private readonly int $spansWidth;
	private readonly int $serviceWidth;
	private readonly int $neededName;
	private readonly string $timeFormat;
	private readonly string $today;

	/** @param list<array<string, mixed>> $rows those that are to be shown, as far as they are known */
	public function __construct(
		private readonly Output $out,
		private readonly Clock $clock,
		array $rows,
		int $serviceWidth = 0,
	) {
		$this->idWidth = self::uniqueLength(array_column($rows, 'trace_id'));
		$this->today = $clock->format($clock->now(), 'Y-m-d');
		$old = array_filter($rows, fn (array $r): bool => $this->day($r) !== $this->today);
		$narrow = $out->columns < 72;
		$this->timeFormat = $old !== [] ? ($narrow ? 'm-d H:i' : 'Y-m-d H:i:s')
			: ($narrow ? 'H:i:s' : 'H:i:s.v');
		$this->timeWidth = $out->columns < 52 ? 0 : strlen($clock->format(0, $this->timeFormat));
		$this->spansWidth = $narrow ? 0 : 6;
		$needed = $rows === [] ? PHP_INT_MAX : 0;
		foreach ($rows as $row) {
			$needed = max($needed, Text::width(trim(implode(' ', self::label($row)))));
			$serviceWidth = max($serviceWidth, Text::width(Text::safe((string) $row['service'])));
		}
		$this->neededName = $needed;
		$this->serviceWidth = $out->columns < 84 ? 0 : min($serviceWidth, intdiv($out->columns, 5));
	}

	public function head(): void
	{
		$this->out->line($this->out->paint('dim', rtrim($this->columns('TRACE', 'TIME', 'DURATION',
			Text::fit('STATUS', 6), 'SPANS', '', Text::fit('NAME', $this->nameWidth()), 'SERVICE'))));
	}

	/** @param array<string, mixed> $row */
	public function row(array $row): void
	{
		$paint = $this->out->paint(...);
		[$status, $style] = self::status($row);
		$errors = (int) $row['errors'] > 0 ? '✗' . self::short((int) $row['errors']) : '';
		$service = Text::cut(Text::safe((string) $row['service']), $this->serviceWidth);
		$this->out->line($this->columns(
			$paint('id', substr(Text::safe((string) $row['trace_id']), 0, $this->idWidth)),
			$paint('dim', $this->clock->format((int) $row['start_ns'], $this->timeFormat)),
			$this->duration((int) $row['duration_ns']),
			$paint($style, Text::fit($status, 6)),
			($row['gaps'] ? '≥' : '') . Format::count((int) $row['spans']),
			$paint('error', Text::fit($errors, 4)),
			$this->name($row),
			$paint('cyan', $service),
		));
	}

	/** A line of painted cells; narrow terminals get fewer of them. */
	private function columns(string $id, string $time, string $duration, string $status, string $spans,
		string $errors, string $name, string $service): string
	{
		$line = $id . str_repeat(' ', max(0, $this->idWidth - strlen($id))) . '  ';
		if ($this->timeWidth > 0) {
			$line .= $time . str_repeat(' ', max(0, $this->timeWidth - strlen($time))) . '  ';
		}
		$line .= $duration . '  ' . $status . ' ';
		if ($this->spansWidth > 0) {
			$line .= Text::right($spans, $this->spansWidth) . ' ';
		}
		$line .= ($errors === '' ? '    ' : $errors) . ' ' . $name;
		return $this->serviceWidth > 0 ? $line . '  ' . $service : $line;
	}

	/**
	 * The root's name, and the path where the name says nothing ("GET").
	 * @param array<string, mixed> $row
	 * @return array{string, string}
	 */
	public static function label(array $row): array
	{
		$name = Text::safe((string) $row['name']);
		$path = Json::map($row['root_attributes'] ?? null)['url.path'] ?? null;
		$bare = preg_match('/^[A-Z_]{3,10}$/D', $name) === 1;
		return [$name === '' ? '(no name)' : $name, $bare && is_string($path) ? Text::safe($path) : ''];
	}

	/**
	 * What became of it, in a word or a number, and its colour.
	 * @param array<string, mixed> $row
	 * @return array{string, string}
	 */
	public static function status(array $row): array
	{
		$failed = (int) $row['status'] === 2;
		$code = Json::map($row['root_attributes'] ?? null)['http.response.status_code'] ?? null;
		if (is_int($code)) {
			$style = $code >= 400 ? 'yellow' : 'green';
			return [(string) $code, $failed || $code >= 500 ? 'error' : $style];
		}
		if ($failed) {
			return ['error', 'error'];
		}
		return (int) $row['complete'] === 1 ? ['ok', 'green'] : ['open', 'yellow'];
	}

	/** @param array<string, mixed> $row */
	private function name(array $row): string
	{
		[$name, $path] = self::label($row);
		$width = $this->nameWidth();
		$name = Text::cut($name, $width);
		$rest = $width - Text::width($name);
		if ($path === '' || $rest < 4) {
			return $name . str_repeat(' ', $rest);
		}
		return $name . ' ' . $this->out->paint('dim', Text::fit($path, $rest - 1));
	}

	private function nameWidth(): int
	{
		$used = $this->idWidth + 2 + ($this->timeWidth > 0 ? $this->timeWidth + 2 : 0) + 8 + 2 + 6 + 1
			+ ($this->spansWidth > 0 ? $this->spansWidth + 1 : 0) + 4 + 1
			+ ($this->serviceWidth > 0 ? $this->serviceWidth + 2 : 0);
		return max(self::MIN_NAME, min($this->neededName, $this->out->columns - $used));
	}

	/** The slower, the louder. */
	private function duration(int $ns): string
	{
		$style = match (true) {
			$ns >= 1_000_000_000 => 'yellow',
			$ns >= 200_000_000 => 'bold',
			default => '',
		};
		return $this->out->paint($style, Text::right(Format::duration($ns), 8));
	}

	/** @param array<string, mixed> $row */
	private function day(array $row): string
	{
		return $this->clock->format((int) $row['start_ns'], 'Y-m-d');
	}

	private static function short(int $n): string
	{
		return $n < 1000 ? (string) $n : '1k+';
	}

	/** @param list<string> $ids */
	private static function uniqueLength(array $ids): int
	{
		for ($length = 8; $length < 32; $length++) {
			$short = array_map(static fn ($id): string => substr((string) $id, 0, $length), $ids);
			if (count(array_unique($short)) === count(array_unique($ids))) {
				break;
			}
		}
		return $length;
	}
}
