<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * `opa doctor`: whether a collector takes traces. opa-exporter asks it, with one request that has no span in
 * it (`--check`, export/opa_sender.h). What a collector is defined by has secrets in it: it goes there by a
 * pipe, and nothing of it is shown.
 */
final class EndpointCheck
{
	private const KEYS = ['opa.headers' => 'headers', 'opa.ca_file' => 'ca_file', 'opa.cert_file' => 'cert_file',
		'opa.key_file' => 'key_file', 'opa.proxy' => 'proxy', 'opa.compression' => 'compression'];

	private const CAUSES = [
		'dns' => 'correct the host name of opa.endpoint, or /etc/resolv.conf',
		'proxy_dns' => 'correct the host name of opa.proxy',
		'connect' => 'start the collector, or correct host and port of opa.endpoint (OTLP over HTTP has 4318)',
		'timeout' => 'is a firewall in between? opa.timeout is how long an answer is waited for',
		'certificate' => 'opa.ca_file=/path/of/the/ca.pem, the CA that has signed it, under the name that opa.endpoint has',
		'ca_file' => "opa.ca_file has to be a file of certificates that PHP's user may read",
		'client_certificate' => "opa.cert_file and opa.key_file have to fit each other, and PHP's user has to be able to read them",
		'tls' => 'is it https:// there? Does it want a certificate (opa.cert_file, opa.key_file)?',
		'protocol' => 'gRPC (4317) is not spoken: opa.endpoint has to be the port for OTLP over HTTP, 4318',
		'broken' => "look into the collector's log: it ended the connection without an answer",
	];

	private const STATUSES = [
		401 => 'opa.headers=NAME=KEY with the credentials that it wants',
		403 => 'opa.headers: credentials that allow it',
		404 => 'opa.endpoint without a path, or with the one that its manual says (/v1/traces is appended)',
		405 => 'opa.endpoint without a path, or with the one that its manual says (/v1/traces is appended)',
		407 => 'opa.proxy=http://NAME:PASSWORD@host:port',
		413 => 'it refuses an empty request as too large: is it a collector?',
		415 => 'opa.endpoint has to be a receiver of OTLP over HTTP; opa.compression=none if it cannot unpack',
	];

	public function __construct(private readonly string $exporter)
	{
	}

	/** @param string $definition as a spool's dest/ has it */
	public function ask(string $definition): Finding
	{
		$definition = preg_replace('/\n\n.*/s', '', rtrim($definition, "\n")) . "\n\n";
		// It waits for opa.timeout itself, and says so.
		$seconds = preg_match('/^timeout=(\d+)$/m', $definition, $m) === 1 ? (int) $m[1] / 1000 + 10 : 20;
		$child = Child::run([$this->exporter, '--check'], $definition, $seconds);
		$says = [];
		foreach (explode("\n", $child->out) as $line) {
			[$key, $value] = explode('=', $line, 2) + [1 => ''];
			$says[$key] = $value;
		}
		if (!isset($says['verdict'])) {
			return Finding::fail('Endpoint', 'it could not be asked: ' . (preg_replace('/^opa-exporter: /', '', $child->err)
				?: "opa-exporter ended with code $child->code"), 'correct opa.endpoint and what belongs to it');
		}
		$url = $says['url'] ?? '';
		$message = $says['message'] ?? '';
		if ($says['verdict'] === 'taken') {
			return Finding::ok('Endpoint', $url . ' has taken an empty request in ' . ($says['ms'] === '0' ? 'less than 1' : $says['ms']) . ' ms' . ($message === '' ? '' : "; $message"));
		}
		$status = (int) ($says['status'] ?? 0);
		if (in_array($status, [400, 429], true)) {
			return Finding::warn('Endpoint', "$url: $message", $status === 429 ? 'it is too busy for us: traces wait in the spool'
				: 'it may only dislike a request without a span in it; opa status says what becomes of real ones');
		}
		$remedy = self::CAUSES[$says['cause'] ?? ''] ?? self::STATUSES[$status] ?? match (true) {
			$status >= 500 => 'it is there, and ill or behind a proxy that cannot reach it: look into its log',
			$status >= 300 && $status < 400 => 'set opa.endpoint to where it points to, if that can be trusted',
			default => "look into the collector's log",
		};
		return Finding::fail('Endpoint', "$url: $message", $remedy);
	}

	/**
	 * The collector that the command line's settings name; '' when they name none, null when that cannot be known.
	 * @param array<string, string> $env
	 */
	public static function definitionOf(PhpProbe $probe, array $env): ?string
	{
		if ($probe->collector === '') {
			return '';
		}
		$raw = $probe->raw(['opa.endpoint', 'opa.timeout', ...array_keys(self::KEYS)], $env);
		if ($raw === null) {
			return null;
		}
		$endpoint = $raw['opa.endpoint'] ?? $probe->collector; // OTEL_TRACES_EXPORTER=otlp: the default
		$key = match ($probe->settings['opa.endpoint']['source'] ?? '') {
			'OTEL_EXPORTER_OTLP_ENDPOINT' => 'base',
			'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' => 'endpoint',
			default => 'url',
		};
		$lines = ["$key=$endpoint", 'timeout=' . self::milliseconds($probe->setting('opa.timeout')),
			'compression=' . ($probe->setting('opa.compression') ?: 'none')];
		foreach (array_intersect_key(self::KEYS, $raw) as $setting => $name) {
			array_push($lines, ...($name === 'compression' || $raw[$setting] === '' ? [] : ["$name=$raw[$setting]"]));
		}
		return implode("\n", $lines) . "\n";
	}

	private static function milliseconds(string $duration): int
	{
		try {
			return intdiv(Clock::parseDuration(preg_match('/^\d+$/D', $duration) ? "{$duration}s" : $duration, ''), 1_000_000);
		} catch (UsageError) {
			return 10_000;
		}
	}
}
