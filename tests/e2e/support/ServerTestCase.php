<?php

declare(strict_types=1);

namespace Opa\Tests;

use PHPUnit\Framework\TestCase;

/** Tests against nginx and PHP-FPM. A site lives as long as its test, or its class. */
abstract class ServerTestCase extends TestCase
{
	/** @var list<Site> */
	private array $sites = [];
	private static int $markers = 0;

	public static function setUpBeforeClass(): void
	{
		if (Site::fpmBinary() === null || Site::nginxBinary() === null) {
			self::markTestSkipped('nginx and the PHP-FPM of this PHP are needed');
		}
	}

	protected function tearDown(): void
	{
		foreach ($this->sites as $site) {
			$site->stop();
		}
		$this->sites = [];
	}

	/** A site that is stopped when the test ends; not started yet. */
	protected function site(Pool ...$pools): Site
	{
		return $this->sites[] = new Site(...$pools);
	}

	protected static function needRoot(): void
	{
		if (posix_geteuid() !== 0) {
			self::markTestSkipped('needs root: pools of two users, namespaces, mounts');
		}
	}

	protected static function marker(): string
	{
		return 'm' . getmypid() . '-' . ++self::$markers;
	}

	/** Requests a page, with a marker that it returns. */
	protected static function visit(Pool $pool, string $page, string $query = '', array $options = []): string
	{
		$marker = self::marker();
		$answer = Client::get($pool->url($page, "m=$marker" . ($query === '' ? '' : "&$query")), $options);
		self::assertTrue($answer->isComplete(), "$page: status $answer->status, error $answer->error");
		return $marker;
	}

	/** The trace of that request, as soon as it is in the pool's store. */
	protected static function trace(Pool $pool, string $marker): Trace
	{
		$store = $pool->store();
		$trace = null;
		self::await(static function () use ($store, $marker, &$trace): bool {
			$trace = $store->trace($marker);
			return $trace !== null;
		}, "the trace of $marker in $store->path arrives", 20);
		return $trace;
	}

	/** @return array<string, mixed> opa_status() of a worker */
	protected static function status(Pool $pool): array
	{
		$answer = Client::get($pool->url('status', 'm=' . self::marker()));
		return json_decode($answer->body, true, 512, JSON_THROW_ON_ERROR);
	}

	/** Waits for something to become true; fails when it does not within some seconds. */
	protected static function await(callable $condition, string $what, float $seconds = 10): void
	{
		$end = hrtime(true) + $seconds * 1e9;
		while (!$condition()) {
			if (hrtime(true) > $end) {
				self::fail("did not happen within $seconds s: $what");
			}
			usleep(20_000);
			clearstatcache();
		}
		self::assertTrue(true);
	}

	/** Runs a program to its end; [exit code, what it said on both streams]. */
	protected static function runToEnd(array $command, array $env = []): array
	{
		$log = tmpfile();
		$process = proc_open($command, [['file', '/dev/null', 'r'], $log, $log], $pipes, '/',
			$env + ['PATH' => (string) getenv('PATH')]);
		$code = proc_close($process);
		rewind($log);
		return [$code, (string) stream_get_contents($log)];
	}

	/** As the pool's user. @return list<string> */
	protected static function asUser(Pool $pool, string ...$command): array
	{
		return posix_geteuid() !== 0 ? $command : ['setpriv', "--reuid=$pool->user", '--regid='
			. posix_getgrgid(posix_getpwnam($pool->user)['gid'])['name'], '--clear-groups', ...$command];
	}

	/** What the exporter brings in when it is run by hand. */
	protected static function bringIn(Site $site, Pool $pool): void
	{
		[$code, $said] = self::runToEnd(self::asUser($pool, "$site->modules/opa-exporter", '--spool', $pool->spool, '--once'));
		self::assertSame([0, ''], [$code, $said]);
	}
}
