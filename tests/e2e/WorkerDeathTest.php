<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What was answered has its trace, however the worker or its master ends. */
final class WorkerDeathTest extends ServerTestCase
{
	/** @return array<string, array{bool}> spools whose files are mapped, and those that are not */
	public function media(): array
	{
		return ['in memory' => [true], 'on a disk' => [false]];
	}

	/** @dataProvider media */
	public function testAWorkerKilledRightAfterItsAnswer(bool $memory): void
	{
		[$site, $pool] = $this->started($memory, ['pm.max_children' => '2']);
		$markers = [];
		for ($i = 0; $i < 20; $i++) {
			$markers[] = $marker = self::marker();
			$answer = Client::get($pool->url('nested', "m=$marker"));
			self::assertSame('nested', $answer->body);
			self::kill($answer->pid());
		}

		foreach ($markers as $marker) {
			self::assertCount(11, self::trace($pool, $marker)->spans);
		}
		self::assertSame(20, substr_count($site->fpmLog(), 'exited on signal 9'));
		self::await(static fn (): bool => $pool->store()->value("SELECT value FROM counters
			WHERE name = 'traces_kept'") === 20, 'the counters of the dead are added up', 20);
		self::assertNull($pool->store()->value("SELECT value FROM counters WHERE name = 'traces_lost'"));
	}

	/** And waits until it is dead: it might take another request until then. */
	private static function kill(int $pid): void
	{
		self::assertGreaterThan(1, $pid);
		self::assertTrue(posix_kill($pid, SIGKILL));
		self::await(static fn (): bool => in_array(Processes::state($pid), ['', 'Z'], true), "$pid is dead");
	}

	/** @return array<string, array{int}> */
	public function stops(): array
	{
		return ['SIGTERM' => [SIGTERM], 'SIGQUIT' => [SIGQUIT]];
	}

	/** @dataProvider stops */
	public function testAllArrivesWhenFpmIsStoppedWithDataInFlight(int $signal): void
	{
		[$site, $pool] = $this->started(false, ['pm.max_children' => '4'], ['opa.exporter_path' => '/nonexistent']);
		$answered = [];
		$urls = [];
		for ($i = 0; $i < 400; $i++) {
			$urls[$marker = self::marker()] = $pool->url('nested', "m=$marker");
		}
		(new Client(8))->run($urls, function (string $marker, Answer $answer) use (&$answered, $site, $signal): void {
			if ($answer->isComplete()) {
				$answered[$marker] = [['spans' => 11, 'rows' => 11, 'complete' => 1, 'foreign' => 0]];
			}
			if (count($answered) === 200) {
				$site->fpm->signal($signal);
			}
		});
		$site->stopFpm($signal);
		self::assertLessThan(400, count($answered));

		self::bringIn($site, $pool);

		$found = $pool->store()->markers();
		self::assertEquals($answered, array_intersect_key($found, $answered));
		// Some may have been cut off between their trace and their answer.
		self::assertLessThanOrEqual(4, count(array_diff_key($found, $answered)));
		self::assertSame(0, $pool->journals());
	}

	public function testALiveExporterBringsInWhatAStoppedFpmLeft(): void
	{
		[$site, $pool] = $this->started(true, ['pm.max_children' => '4']);
		$urls = [];
		for ($i = 0; $i < 200; $i++) {
			$urls[$marker = self::marker()] = $pool->url('nested', "m=$marker");
		}
		(new Client(8))->run($urls, static function ($key, Answer $answer): void {
			self::assertTrue($answer->isComplete());
		});
		$site->stopFpm(SIGTERM);

		self::await(static fn (): bool => $pool->journals() === 0, 'the journals are gone', 20);
		self::assertEqualsCanonicalizing(array_keys($urls), array_keys($pool->store()->markers()));
	}

	/** They are mapped, and whoever cuts a mapped file raises SIGBUS in who writes to it. */
	public function testControlFilesThatAreCutUnderLoadKillNobody(): void
	{
		[$site, $pool] = $this->started(true, ['pm.max_children' => '4']);
		$urls = [];
		for ($i = 0; $i < 400; $i++) {
			$urls[$marker = self::marker()] = $pool->url('nested', "m=$marker");
		}
		$cut = 0;
		(new Client(8))->run($urls, static function ($key, Answer $answer) use ($pool, &$cut): void {
			self::assertTrue($answer->isComplete());
			foreach (glob("$pool->spool/control/*.c") as $file) {
				$cut += (int) ftruncate(fopen($file, 'r+'), 0);
			}
		});

		self::assertGreaterThan(400, $cut);
		self::assertStringNotContainsString('exited on signal', $site->fpmLog());
		self::await(static fn (): bool => array_diff_key($urls, $pool->store()->markers()) === [], 'all arrive', 20);
	}

	public function testAWorkerThatIsTerminatedForItsSlownessLosesOnlyThatTrace(): void
	{
		[$site, $pool] = $this->started(true, ['request_terminate_timeout' => '1s']);
		$before = self::visit($pool, 'plain');
		self::assertSame(502, Client::get($pool->url('stuck', 'm=stuck'))->status);
		$after = self::visit($pool, 'plain');

		self::trace($pool, $before);
		self::trace($pool, $after);
		self::assertStringContainsString('execution timed out', $site->fpmLog());
		self::await(static fn (): bool => $pool->store()->value("SELECT value FROM counters
			WHERE name = 'traces_lost'") === 1, 'and that one is counted', 20);
	}

	public function testAWorkerThatReachesItsLastRequestIsReplaced(): void
	{
		[$site, $pool] = $this->started(true, ['pm.max_requests' => '3']);
		$pids = $markers = [];
		for ($i = 0; $i < 9; $i++) {
			$markers[] = $marker = self::marker();
			$pids[] = Client::get($pool->url('plain', "m=$marker"))->pid();
		}

		foreach ($markers as $marker) {
			self::assertCount(4, self::trace($pool, $marker)->spans);
		}
		self::assertCount(3, array_unique($pids));
		self::assertStringNotContainsString('exited on signal', $site->fpmLog());
	}

	public function testAPoolThatStartsWorkersOnDemand(): void
	{
		[$site, $pool] = $this->started(true, ['pm' => 'ondemand', 'pm.process_idle_timeout' => '1s']);
		$first = self::visit($pool, 'plain');
		self::await(static fn (): bool => $site->workers() === [], 'the idle worker ends');
		$second = self::visit($pool, 'plain');

		self::trace($pool, $first);
		self::trace($pool, $second);
	}

	/** The paths of its settings are the exporter's: as one outside reads them. */
	public function testJournalsOfAPoolInAChrootAreBroughtInFromOutside(): void
	{
		[$site, $pool] = $this->jailed();
		$pool->settings = ['opa.spool_dir' => '/spool', 'opa.store_path' => $pool->store];
		$site->start();

		$markers = [self::visit($pool, 'plain'), self::visit($pool, 'plain')];
		self::assertStringContainsString('no executable file', self::status($pool)['problem']);
		$site->stopFpm(SIGQUIT);
		self::assertGreaterThan(0, $pool->journals());

		self::bringIn($site, $pool);
		foreach ($markers as $marker) {
			self::assertCount(4, self::trace($pool, $marker)->spans);
		}
		self::assertSame(0, $pool->journals());
	}

	/** What is needed in the jail: the program at the same path, and its libraries. */
	public function testAPoolInAChrootThatHasTheExporter(): void
	{
		[$site, $pool] = $this->jailed();
		$pool->settings = ['opa.spool_dir' => '/spool', 'opa.store_path' => '/spool/traces.db'];
		$program = "$site->modules/opa-exporter";
		[, $libraries] = self::runToEnd(['ldd', $program]);
		preg_match_all('~(?:=> |^\s+)(/\S+) \(~m', $libraries, $found);
		foreach ([$program, ...$found[1]] as $file) {
			@mkdir("$site->directory/jail" . dirname($file), 0755, true);
			copy($file, "$site->directory/jail$file");
			chmod("$site->directory/jail$file", 0755);
		}
		$site->start();

		self::assertCount(4, self::trace($pool, self::visit($pool, 'plain'))->spans);
		self::assertSame('', self::status($pool)['problem']);
		$site->stopFpm(SIGQUIT);
		// Its path names the spool as the jail has it, so that stop() does not know it.
		$exporter = (int) $pool->state()['pid'];
		Site::remove($pool->spool);
		self::await(static fn (): bool => Processes::state($exporter) === '', 'it leaves with its spool');
	}

	/** @return array{Site, Pool} a pool in a chroot that has its pages and a spool */
	private function jailed(): array
	{
		self::needRoot();
		$pool = new Pool('jail');
		$site = $this->site($pool);
		$jail = "$site->directory/jail";
		mkdir("$jail/spool", 0700);
		chown("$jail/spool", $pool->user);
		$pool->directives['chroot'] = $jail;
		$pool->spool = "$jail/spool";
		$pool->store = "$jail/spool/traces.db";
		$pool->root = '/';
		foreach (['plain', 'common', 'status'] as $page) {
			copy(__DIR__ . "/pages/$page.php", "$jail/$page.php");
			chmod("$jail/$page.php", 0644);
		}
		return [$site, $pool];
	}

	/**
	 * @param array<string, string> $directives
	 * @param array<string, string> $settings
	 * @return array{Site, Pool}
	 */
	private function started(bool $memory, array $directives, array $settings = []): array
	{
		$pool = new Pool('www');
		$pool->directives = $directives + $pool->directives;
		$pool->settings = $settings;
		$site = $this->site($pool);
		if ($memory) {
			$site->moveSpoolIntoMemory($pool);
		}
		$site->start();
		return [$site, $pool];
	}
}
