<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Settings are those of the pool that a worker belongs to. */
final class PoolsTest extends ServerTestCase
{
	public function testEachPoolHasTheServiceNameOfItsEnvironment(): void
	{
		$a = new Pool('a');
		$b = new Pool('b');
		$a->env = ['OTEL_SERVICE_NAME' => 'shop', 'OTEL_RESOURCE_ATTRIBUTES' => 'deployment.environment.name=blue'];
		$b->env = ['OTEL_SERVICE_NAME' => 'desk'];
		$site = $this->site($a, $b);
		$site->env = ['OTEL_SERVICE_NAME' => 'the master'];
		$site->start();

		$inA = self::trace($a, self::visit($a, 'plain'));
		$inB = self::trace($b, self::visit($b, 'plain'));

		self::assertSame('shop', $inA->resource['service.name']);
		self::assertSame('blue', $inA->resource['deployment.environment.name']);
		self::assertSame('desk', $inB->resource['service.name']);
		self::assertArrayNotHasKey('deployment.environment.name', $inB->resource);
	}

	public function testAPoolsSettingBeatsItsEnvironmentAlsoWithTheDefaultsText(): void
	{
		$pool = new Pool('a');
		$pool->settings = ['opa.service_name' => 'from the pool', 'opa.sample_rate' => '1'];
		$pool->env = ['OTEL_SERVICE_NAME' => 'from the environment', 'OTEL_TRACES_SAMPLER' => 'always_off'];
		$this->site($pool)->start();

		$trace = self::trace($pool, self::visit($pool, 'plain'));

		self::assertSame('from the pool', $trace->resource['service.name']);
	}

	public function testPhpIniBeatsTheEnvironmentAndAPoolBeatsPhpIni(): void
	{
		$a = new Pool('a');
		$b = new Pool('b');
		$a->env = ['OTEL_SERVICE_NAME' => 'from the environment'];
		$b->settings = ['opa.service_name' => 'from the pool'];
		$site = $this->site($a, $b);
		$site->ini = ['opa.service_name' => 'from php.ini'];
		$site->start();

		self::assertSame('from php.ini', self::trace($a, self::visit($a, 'plain'))->resource['service.name']);
		self::assertSame('from the pool', self::trace($b, self::visit($b, 'plain'))->resource['service.name']);
	}

	public function testTheMastersEnvironmentCountsWhereAPoolDoesNotClearIt(): void
	{
		$kept = new Pool('kept');
		$cleared = new Pool('cleared');
		$kept->directives['clear_env'] = 'no';
		$site = $this->site($kept, $cleared);
		$site->env = ['OTEL_SERVICE_NAME' => 'the master'];
		$site->start();

		$name = static fn (Pool $pool): string
			=> self::trace($pool, self::visit($pool, 'plain'))->resource['service.name'];
		self::assertSame('the master', $name($kept));
		self::assertSame('unknown_service:php', $name($cleared));
	}

	/**
	 * What is preloaded calls opa before any pool is known: in the master where that is an ordinary
	 * user's, in a process of its own where it is root's.
	 * @dataProvider masters
	 * @param list<string> $wrapper
	 * @param array<string, string> $ini
	 */
	public function testPreloadingIsNotTracedAndLeavesThePoolsTheirSettings(array $wrapper, array $ini): void
	{
		self::needRoot();
		$pools = [new Pool('a'), new Pool('b')];
		$site = $this->site(...$pools);
		$site->wrapper = $wrapper;
		chown($site->directory, 'www-data');
		$preloading = "$site->directory/preloading";
		$site->ini = $ini + ['opcache.preload' => "{$site->pages()}/preload.php", 'opa.spool_dir' => $preloading];
		$site->env = ['OTEL_SERVICE_NAME' => 'the master'];
		foreach ($pools as $pool) {
			$pool->env = ['OTEL_SERVICE_NAME' => "service $pool->name"];
		}
		$site->start();

		foreach ($pools as $pool) {
			$trace = self::trace($pool, self::visit($pool, 'preloaded'));
			self::assertSame(200, $trace->attributes['http.response.status_code']);
			self::assertSame(['GET', 'preloaded'], $trace->names());
			self::assertSame("service $pool->name", $trace->resource['service.name']);
		}
		self::assertFileDoesNotExist($preloading);
	}

	public function masters(): array
	{
		return [
			'root' => [[], ['opcache.preload_user' => 'www-data']],
			'an ordinary user' => [['setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups'], []],
		];
	}

	/** A server's home may be a document root: a store there could be downloaded. */
	public function testTheSpoolIsFoundByAPoolsVariableAndTheStoreLiesInItNotBelowTheHome(): void
	{
		$pool = new Pool('xdg');
		$site = $this->site($pool);
		$home = dirname($pool->store);
		foreach (['run', 'state', 'home'] as $name) {
			mkdir("$home/$name", 0700);
			posix_geteuid() !== 0 || chown("$home/$name", $pool->user);
		}
		$pool->env = ['XDG_RUNTIME_DIR' => "$home/run", 'XDG_STATE_HOME' => "$home/state", 'HOME' => "$home/home"];
		$pool->settings = ['opa.spool_dir' => '', 'opa.store_path' => ''];
		$pool->store = "$home/run/opa/store/traces.db";
		$site->start();
		if (is_dir('/run/opa/' . posix_getpwnam($pool->user)['uid']) || is_dir('/var/lib/opa')) {
			self::markTestSkipped('a package has made directories for opa here');
		}

		self::trace($pool, self::visit($pool, 'plain'));
		self::assertSame("$home/run/opa", self::status($pool)['spool']['path']);
		self::assertSame([], array_merge(glob("$home/state/*"), glob("$home/home/{,.}[!.]*", GLOB_BRACE)));
		$list = [...self::asUser($pool, PHP_BINARY, dirname(__DIR__, 2) . '/viewer/main.php', 'list', '--json')];
		[$code, $said] = self::runToEnd($list, ['XDG_RUNTIME_DIR' => "$home/run", 'HOME' => '/nonexistent']);
		self::assertSame(0, $code, $said);
		self::assertStringContainsString('plain.php', $said);
	}

	public function testTwoUsersHaveStoresOfTheirOwnThatTheOtherMayNotRead(): void
	{
		self::needRoot();
		$a = new Pool('a', 'www-data');
		$b = new Pool('b', 'nobody');
		$this->site($a, $b)->start();

		$inA = self::visit($a, 'plain');
		$inB = self::visit($b, 'plain');
		self::trace($a, $inA);
		self::trace($b, $inB);

		self::assertNull($a->store()->trace($inB));
		self::assertNull($b->store()->trace($inA));
		self::assertSame([posix_getpwnam('www-data')['uid'], posix_getpwnam('nobody')['uid']],
			[fileowner($a->store), fileowner($b->store)]);
		self::assertSame([0600, 0600, 0700], [fileperms($a->store) & 0777, fileperms($b->store) & 0777,
			fileperms("$a->spool/live") & 0777]);
	}

	public function testAPoolThatSwitchesOpaOffHasNoTraceAndItsNeighbourHas(): void
	{
		$off = new Pool('off');
		$on = new Pool('on');
		$off->settings = ['opa.enabled' => '0'];
		$this->site($off, $on)->start();

		self::assertSame('', Client::get($off->url('plain', 'm=x'))->headers['x-trace'] ?? '');
		self::trace($on, self::visit($on, 'plain'));
		self::assertNull($off->store()->trace('x'));
		self::assertSame(0, $off->journals());
	}

	public function testADaemonisedMasterThatIsReloadedServesOn(): void
	{
		$pool = new Pool('d');
		$site = $this->site($pool);
		$site->daemonize = true;
		$site->start();

		$first = self::visit($pool, 'plain');
		[$worker] = $site->workers();
		posix_kill($site->fpmPid(), SIGUSR2);
		self::await(static fn (): bool => !in_array($worker, $site->workers(), true)
			&& $site->workers() !== [], 'another worker has taken over');
		$second = self::visit($pool, 'plain');

		self::trace($pool, $first);
		self::trace($pool, $second);
		self::assertStringNotContainsString('exited on signal', $site->fpmLog());
	}
}
