<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What is said about one span beside its name and its time. All texts are safe. */
final class SpanDetails
{
	private const KEY = 28;

	/** @param int $origin the trace's start, in Unix nanoseconds: what events are measured from */
	public function __construct(private readonly int $origin)
	{
	}

	/** Where a request went, when the name is only its method: path, or host and path. */
	public function destination(Span $span): string
	{
		if (preg_match('/^[A-Z_]{3,10}$/D', $span->name()) !== 1) {
			return '';
		}
		if ((int) $span->row['kind'] === 2) {
			return $span->text('url.path');
		}
		$url = preg_replace('~^[a-z]+://([^/@]*@)?~i', '', $span->text('url.full'));
		return $url !== '' ? preg_replace('~\?.*$~', '', $url) : $span->text('server.address');
	}

	/** @return list<string> */
	public function remarks(Span $span): array
	{
		$a = $span->attributes();
		$code = $a['http.response.status_code'] ?? null;
		$dropped = $a['opa.dropped_spans'] ?? null;
		return array_values(array_filter([
			($a['opa.unfinished'] ?? false) === true ? 'unfinished' : '',
			($a['opa.lost'] ?? false) === true ? 'lost: its process died' : '',
			is_int($dropped) ? Format::plural($dropped, 'span') . ' dropped' : '',
			is_int($code) && $code >= 400 && $span->parent !== null ? (string) $code : '',
		]));
	}

	/** Why a span failed, in a line; '' when it did not, or nothing is known. */
	public function problem(Span $span): string
	{
		if (!$span->failed()) {
			return '';
		}
		$exceptions = $span->exceptions();
		$message = Text::safe((string) $span->row['status_message']);
		$type = $span->text('error.type');
		if ($type === (string) ($span->attributes()['http.response.status_code'] ?? '')) {
			$type = ''; // is said already, as the status
		}
		$both = $type !== '' && $message !== '' && !str_contains($message, $type);
		return $exceptions[0] ?? ($both ? "$type: $message" : ($message !== '' ? $message : $type));
	}

	/** @return list<string> */
	public function links(Span $span): array
	{
		$links = [];
		foreach ($span->links() as $link) {
			$tags = [];
			foreach ((array) ($link->attributes ?? []) as $key => $value) {
				$tags[] = Text::safe($key . '=' . Json::text($value));
			}
			$links[] = rtrim('linked to trace ' . Text::safe(Json::text($link->trace_id ?? '?')) . ' span '
				. Text::safe(Json::text($link->span_id ?? '?')) . '  ' . implode(' ', $tags));
		}
		return $links;
	}

	/** @return list<string> what opa's limits have cut off */
	public function losses(Span $span): array
	{
		$losses = [];
		foreach (['attributes' => 'tag', 'events' => 'event', 'links' => 'link'] as $what => $name) {
			$n = (int) $span->row["dropped_$what"];
			if ($n > 0) {
				$losses[] = Format::plural($n, $name) . " beyond the limit, see opa.max_$what";
			}
		}
		return $losses;
	}

	/**
	 * Key and value in columns; long values go on below themselves.
	 * @param array<int|string, mixed> $tags
	 * @return list<Line>
	 */
	public function tags(array $tags, int $room): array
	{
		$width = 0;
		foreach ($tags as $key => $value) {
			$width = max($width, Text::width(Text::safe((string) $key)));
		}
		$width = min($width, self::KEY, intdiv($room, 2));
		$lines = [];
		foreach ($tags as $key => $value) {
			$key = Text::safe((string) $key);
			$value = $this->valueLines($value, $room - $width - 2);
			if (Text::width($key) > $width) {
				$lines[] = (new Line())->add($key, 'dim');
				$key = '';
			}
			foreach ($value as $part) {
				$lines[] = (new Line())->add(Text::fit($key, $width) . '  ', 'dim')->add($part);
				$key = '';
			}
		}
		return $lines;
	}

	/** @return list<Line> */
	public function event(object $event, int $room): array
	{
		$after = Format::duration(max(0, (int) ($event->time_ns ?? 0)) - $this->origin);
		$name = Text::safe(Json::text($event->name ?? ''));
		$lines = [(new Line())->add('• ', 'yellow')->add($name)->add("  at $after", 'dim')];
		foreach ($this->tags((array) ($event->attributes ?? []), $room - 2) as $line) {
			$lines[] = $line->behind('  ');
		}
		$dropped = (int) ($event->dropped ?? 0);
		if ($dropped > 0) {
			$lines[] = (new Line())->add('  ! ' . Format::plural($dropped, 'tag') . ' beyond the limit', 'yellow');
		}
		return $lines;
	}

	/** @return list<string> */
	private function valueLines(mixed $value, int $room): array
	{
		$lines = [];
		foreach (Text::lines(Json::text($value)) as $line) {
			array_push($lines, ...Text::wrap($line, $room));
		}
		return $lines;
	}
}
