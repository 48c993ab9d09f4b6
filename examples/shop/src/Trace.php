<?php
declare(strict_types=1);

namespace Shop;

/** All that the shop says to opa. Without the extension each of these does nothing but its work. */
final class Trace
{
	/** Runs $work in a span of its own and answers what it answers. */
	public static function span(string $name, callable $work, array $tags = []): mixed
	{
		if (!\function_exists('opa_trace')) {
			return $work();
		}
		return opa_trace($name, static fn (string $span): mixed => $work(), $tags);
	}

	/** Tags the current span. */
	public static function tag(string $key, mixed $value): void
	{
		if (\function_exists('opa_add_tag')) {
			opa_add_tag(opa_current_span() ?? '', $key, $value);
		}
	}

	/** Something that happened at a moment, on the current span. */
	public static function event(string $name, array $tags = []): void
	{
		if (\function_exists('opa_add_event')) {
			opa_add_event(opa_current_span() ?? '', $name, $tags);
		}
	}

	/** Names the request after its route: a template, so that all products are one name. */
	public static function route(string $method, string $template): void
	{
		if (\function_exists('opa_set_name')) {
			$root = opa_root_span() ?? '';
			opa_set_name($root, "$method $template");
			opa_add_tag($root, 'http.route', $template);
		}
	}

	/**
	 * A POST to another service, as a client span by hand. The headers tell the other side which
	 * trace and span it works for.
	 *
	 * @return array{int, string} status and body
	 */
	public static function post(string $url, string $json): array
	{
		$span = null;
		$headers = "Content-Type: application/json\r\n";
		if (\function_exists('opa_start_span')) {
			$span = opa_start_span('POST', [
				'http.request.method' => 'POST',
				'url.full' => $url,
				'server.address' => parse_url($url, PHP_URL_HOST),
				'server.port' => parse_url($url, PHP_URL_PORT),
			], null, OPA_KIND_CLIENT);
			foreach (opa_propagation_headers($span) as $name => $value) {
				$headers .= "$name: $value\r\n";
			}
		}
		$answer = @fopen($url, 'r', false, stream_context_create(['http' => [
			'method' => 'POST',
			'header' => $headers,
			'content' => $json,
			'timeout' => 5,
			'ignore_errors' => true,
		]]));
		$status = 0;
		$body = '';
		if ($answer !== false) {
			$status = (int) explode(' ', stream_get_meta_data($answer)['wrapper_data'][0])[1];
			$body = (string) stream_get_contents($answer);
		}
		if ($span !== null) {
			opa_add_tag($span, 'http.response.status_code', $status);
			if ($status === 0 || $status >= 400) {
				opa_set_status($span, OPA_STATUS_ERROR, $status === 0 ? 'no answer' : '');
			}
			opa_end_span($span);
		}
		return [$status, $body];
	}
}
