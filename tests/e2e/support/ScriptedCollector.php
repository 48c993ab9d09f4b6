<?php

declare(strict_types=1);

namespace Opa\Tests;

/** A collector that does what it is told, on a free port of the loopback or on a socket. */
final class ScriptedCollector
{
	private ?Daemon $daemon = null;
	private readonly string $address;

	/** @param string $directory of its own; a socket is made in it if there is to be one */
	public function __construct(private readonly string $directory, bool $socket = false)
	{
		mkdir($directory, 0755);
		$this->address = $socket ? "unix://$directory/socket" : 'tcp://127.0.0.1:' . Site::freePort();
		$this->script([]);
	}

	public function url(): string
	{
		return str_replace('tcp://', 'http://', $this->address);
	}

	/** @param array<string, mixed> $script as fixtures/scripted-collector.php has it */
	public function script(array $script): void
	{
		file_put_contents("$this->directory/script.json", json_encode($script, JSON_THROW_ON_ERROR));
	}

	/** Returns when it listens. */
	public function start(): self
	{
		$this->daemon = new Daemon([PHP_BINARY, '-n', dirname(__DIR__) . '/fixtures/scripted-collector.php',
			$this->directory, $this->address], [], "$this->directory/log");
		for ($i = 0; $i < 3000 && $this->daemon->isRunning(); $i++) {
			if (is_file("$this->directory/ready")) {
				return $this;
			}
			usleep(10_000);
		}
		throw new \RuntimeException('the collector did not start: ' . $this->daemon->words());
	}

	public function stop(): void
	{
		$this->daemon?->stop();
		$this->daemon = null;
	}

	/** @return list<array{head: string, body: string, status: int}> bodies are unpacked */
	public function requests(): array
	{
		$lines = explode("\n", (string) @file_get_contents("$this->directory/requests"));
		array_pop($lines); // '', or what is on its way
		return array_map(static function (string $line): array {
			$request = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
			return ['body' => base64_decode($request['body'])] + $request;
		}, $lines);
	}

	/**
	 * The ScopeSpans that it took, with the Resource of each: resource and fields (tests/utils/trace.inc).
	 * @return list<array{resource: string, scope: string, spans: list<string>}>
	 */
	public function taken(): array
	{
		require_once dirname(__DIR__, 2) . '/utils/trace.inc';
		$taken = [];
		foreach ($this->requests() as $request) {
			foreach ($request['status'] === 200 ? opa_test_fields($request['body']) : [] as [, $ofResource]) {
				$fields = opa_test_fields($ofResource);
				foreach (array_slice($fields, 1) as [, $scopeSpans]) {
					$parts = opa_test_fields($scopeSpans);
					$taken[] = ['resource' => $fields[0][1], 'scope' => $parts[0][1],
						'spans' => array_column(array_slice($parts, 1), 1)];
				}
			}
		}
		return $taken;
	}

	/** @return list<string> names of the spans that it took, in order */
	public function names(): array
	{
		$names = [];
		foreach ($this->taken() as $part) {
			foreach ($part['spans'] as $span) {
				$names[] = (string) (array_column(opa_test_fields($span), 1, 0)[5] ?? '');
			}
		}
		return $names;
	}
}
