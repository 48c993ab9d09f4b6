<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Tests against a real OpenTelemetry Collector, which lives as long as its test. */
abstract class CollectorTestCase extends ServerTestCase
{
	/** @var list<Collector> */
	private array $collectors = [];

	public static function setUpBeforeClass(): void
	{
		parent::setUpBeforeClass();
		if (Collector::binary() === null) {
			self::markTestSkipped('OTELCOL does not name an OpenTelemetry Collector: nothing is tested against a real one');
		}
	}

	protected function tearDown(): void
	{
		parent::tearDown();
		foreach ($this->collectors as $collector) {
			$collector->remove();
		}
	}

	/** @param array<string, string> $tls */
	protected function collector(array $tls = [], bool $socket = false): Collector
	{
		$this->collectors[] = $collector = new Collector($tls, $socket);
		$collector->start();
		return $collector;
	}

	/**
	 * @param array<string, string> $directives
	 * @param array<string, string> $settings
	 * @param array<string, string> $global
	 * @return array{Site, Pool}
	 */
	protected function sendingTo(Collector $collector, array $directives = [], array $settings = [], array $global = []): array
	{
		$pool = new Pool('www');
		$pool->directives = $directives + $pool->directives;
		$pool->settings = $settings + ['opa.endpoint' => $collector->url(), 'opa.linger' => '100ms'];
		$site = $this->site($pool);
		$site->global = $global;
		$site->start();
		return [$site, $pool];
	}

	/** The trace with that marker, as soon as it has so many spans. @return array<string, array<string, mixed>> */
	protected static function arrived(Collector $collector, string $marker, int $spans = 1, float $seconds = 30): array
	{
		self::await(static fn (): bool => count($collector->trace($marker)) >= $spans, "$marker arrives", $seconds);
		return $collector->trace($marker);
	}

	/** Of one worker the order is that in which it worked. */
	protected static function assertInOrder(Collector $collector): void
	{
		$byWorker = [];
		foreach ($collector->spans() as $span) {
			if (isset($span['attributes']['marker'])) {
				$byWorker[$span['resource']['process.pid']][] = (int) $span['startTimeUnixNano'];
			}
		}
		foreach ($byWorker as $starts) {
			$sorted = $starts;
			sort($sorted);
			self::assertSame($sorted, $starts);
		}
	}

	/** Of this machine, from whomever; those that are being closed do not count. */
	protected static function connectionsTo(int $port): int
	{
		$count = 0;
		foreach (file('/proc/net/tcp') as $line) {
			$fields = preg_split('/\s+/', trim($line));
			$count += $fields[2] === sprintf('0100007F:%04X', $port) && $fields[3] === '01' ? 1 : 0;
		}
		return $count;
	}

	/** @return array{int, string} */
	protected static function opa(Pool $pool, string ...$arguments): array
	{
		return self::runToEnd(self::asUser($pool, PHP_BINARY, dirname(__DIR__, 3) . '/viewer/main.php', ...$arguments,
			...['--spool', $pool->spool]), ['HOME' => '/nonexistent']);
	}

	/** @return array<string, mixed> */
	protected static function opaStatus(Pool $pool): array
	{
		[$code, $said] = self::opa($pool, 'status', '--json');
		self::assertSame(0, $code, $said);
		return json_decode($said, true, 512, JSON_THROW_ON_ERROR);
	}

	/** Where a certificate (.pem) and its key (.key) are, which all may read: of that CA, or its own. */
	protected function certificate(string $name, ?string $ca = null): string
	{
		static $directory = null;
		if ($directory === null) {
			$directory = sys_get_temp_dir() . '/opa-certificates-' . bin2hex(random_bytes(6));
			mkdir($directory, 0755);
			register_shutdown_function(Site::remove(...), $directory);
		}
		$path = "$directory/$name";
		$key = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
		$extensions = $ca === null ? "basicConstraints=critical,CA:TRUE\n" : "subjectAltName=IP:127.0.0.1\n";
		file_put_contents("$path.cnf", "[req]\ndistinguished_name=dn\n[dn]\n[v3]\n$extensions");
		$options = ['config' => "$path.cnf", 'x509_extensions' => 'v3', 'digest_alg' => 'sha256'];
		$request = openssl_csr_new(['commonName' => $name], $key, $options);
		$signer = $ca === null ? [null, $key] : [file_get_contents("$directory/$ca.pem"), file_get_contents("$directory/$ca.key")];
		openssl_x509_export_to_file(openssl_csr_sign($request, $signer[0], $signer[1], 2, $options, random_int(1, 1 << 30)), "$path.pem");
		openssl_pkey_export_to_file($key, "$path.key", null, $options);
		chmod("$path.pem", 0644);
		chmod("$path.key", 0644);
		return $path;
	}
}
