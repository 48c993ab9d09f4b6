<?php

declare(strict_types=1);

namespace Opa\Tests;

/**
 * A real OpenTelemetry Collector, $OTELCOL, that takes OTLP over HTTP and writes what it gets into a file,
 * one OTLP/JSON document a line. In a directory and on a port of its own.
 */
final class Collector
{
	public readonly string $directory;
	public readonly int $port;
	private ?Daemon $daemon = null;
	/** @var list<array<string, mixed>> of what it has written, as far as it was read */
	private array $spans = [];
	private int $read = 0;
	private readonly int $owner;

	/**
	 * @param array<string, string> $tls of the receiver: cert_file, key_file, client_ca_file
	 * @param bool $socket it listens on a socket in its directory instead, which all may write to
	 */
	public function __construct(private readonly array $tls = [], private readonly bool $socket = false)
	{
		$this->owner = getmypid();
		$this->directory = sys_get_temp_dir() . '/opa-otelcol-' . bin2hex(random_bytes(6));
		mkdir($this->directory, 0711);
		$this->port = Site::freePort();
		register_shutdown_function($this->remove(...));
	}

	public static function binary(): ?string
	{
		$path = (string) getenv('OTELCOL');
		return $path !== '' && is_executable($path) ? $path : null;
	}

	public function url(): string
	{
		return $this->socket ? "unix://$this->directory/socket"
			: ($this->tls === [] ? 'http' : 'https') . "://127.0.0.1:$this->port";
	}

	/** Returns when it answers. */
	public function start(): void
	{
		$http = $this->socket ? ['endpoint' => "$this->directory/socket", 'transport' => 'unix']
			: ['endpoint' => "127.0.0.1:$this->port"];
		$config = ['receivers' => ['otlp' => ['protocols' => ['http' => $http + ($this->tls === [] ? [] : ['tls' => $this->tls])]]],
			'exporters' => ['file' => ['path' => "$this->directory/traces.json"]],
			'service' => ['telemetry' => ['metrics' => ['level' => 'none']],
				'pipelines' => ['traces' => ['receivers' => ['otlp'], 'exporters' => ['file']]]]];
		file_put_contents("$this->directory/config.json", json_encode($config, JSON_UNESCAPED_SLASHES));
		$this->daemon = new Daemon(['sh', '-c', 'umask 0; exec "$@"', 'sh', self::binary(), '--config', "$this->directory/config.json"],
			['PATH' => '/usr/bin:/bin'], "$this->directory/log");
		for ($i = 0; $i < 3000 && $this->daemon->isRunning(); $i++) {
			$socket = @stream_socket_client($this->socket ? $this->url() : "tcp://127.0.0.1:$this->port");
			if ($socket !== false) {
				fclose($socket);
				return;
			}
			usleep(10_000);
		}
		throw new \RuntimeException('the collector did not start: ' . $this->daemon->words());
	}

	/** What it has is written by then. */
	public function stop(): void
	{
		$this->daemon?->stop();
		$this->daemon = null;
	}

	public function remove(): void
	{
		if (getmypid() === $this->owner && is_dir($this->directory)) {
			$this->stop();
			Site::remove($this->directory);
		}
	}

	/**
	 * The spans that it has got, in the order in which they came: as OTLP/JSON has them, but attributes as
	 * key => value, and those of the resource as `resource`.
	 * @return list<array<string, mixed>>
	 */
	public function spans(): array
	{
		$new = (string) @file_get_contents("$this->directory/traces.json", false, null, $this->read);
		// The last line may be on its way.
		$new = substr($new, 0, (int) strrpos("\n$new", "\n"));
		$this->read += strlen($new);
		foreach (explode("\n", $new, -1) as $line) {
			foreach (json_decode($line, true, 512, JSON_THROW_ON_ERROR)['resourceSpans'] as $ofResource) {
				foreach ($ofResource['scopeSpans'] as $ofScope) {
					foreach ($ofScope['spans'] as $span) {
						$this->spans[] = ['attributes' => self::attributes($span)] + $span
							+ ['resource' => self::attributes($ofResource['resource']), 'scope' => $ofScope['scope']];
					}
				}
			}
		}
		return $this->spans;
	}

	/** @return array<string, int> marker => how often its root has come */
	public function markers(): array
	{
		$found = [];
		foreach ($this->spans() as $span) {
			if (isset($span['attributes']['marker'])) {
				$found[$span['attributes']['marker']] = ($found[$span['attributes']['marker']] ?? 0) + 1;
			}
		}
		return $found;
	}

	/**
	 * All spans of the trace with this marker, by span id.
	 * @return array<string, array<string, mixed>>
	 */
	public function trace(string $marker): array
	{
		$spans = $this->spans();
		$roots = array_filter($spans, static fn (array $s): bool => ($s['attributes']['marker'] ?? '') === $marker);
		$id = reset($roots)['traceId'] ?? '';
		$trace = array_filter($spans, static fn (array $s): bool => $s['traceId'] === $id);
		return array_column($trace, null, 'spanId');
	}

	/** @return array<string, mixed> */
	public static function attributes(array $of): array
	{
		$values = [];
		foreach ($of['attributes'] ?? [] as $attribute) {
			if (array_key_exists($attribute['key'], $values)) {
				throw new \RuntimeException("the attribute $attribute[key] is there twice");
			}
			$values[$attribute['key']] = self::value($attribute['value']);
		}
		return $values;
	}

	/** An AnyValue of OTLP/JSON, where integers are strings. */
	private static function value(array $value): mixed
	{
		$kind = array_key_first($value);
		return match ($kind) {
			null => null,
			'intValue' => (int) $value[$kind],
			'doubleValue' => is_string($value[$kind]) ? (float) str_replace(['NaN', 'Infinity'], ['NAN', 'INF'], $value[$kind])
				: (float) $value[$kind],
			'arrayValue' => array_map(self::value(...), $value[$kind]['values'] ?? []),
			'kvlistValue' => self::attributes(['attributes' => $value[$kind]['values'] ?? []]),
			'bytesValue' => base64_decode($value[$kind]),
			default => $value[$kind],
		};
	}
}
