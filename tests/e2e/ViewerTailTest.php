<?php

declare(strict_types=1);

namespace Opa\Tests;

final class ViewerTailTest extends ViewerTestCase
{
	/** @var resource */
	private $process;
	private string $output;

	/** @param ?list<string> $where which store; null: that of the test's directory */
	private function start(?array $where = null, string ...$arguments): void
	{
		$where ??= ['--store', $this->directory];
		$this->output = "$this->directory/output";
		$this->process = proc_open([...self::command(), 'tail', '--no-import', ...$where,
			...$arguments], [['file', '/dev/null', 'r'], ['file', $this->output, 'w'],
			['file', "$this->directory/errors", 'w']], $pipes, null,
			['PATH' => getenv('PATH'), 'TZ' => 'UTC', 'COLUMNS' => '100']);
	}

	private function output(): string
	{
		return is_file($this->output) ? (string) file_get_contents($this->output) : '';
	}

	private function awaitOutput(string $text): void
	{
		self::await(fn (): bool => str_contains($this->output(), $text), "'$text' in the output");
	}

	protected function tearDown(): void
	{
		if (isset($this->process) && is_resource($this->process)) {
			proc_terminate($this->process, 9);
			proc_close($this->process);
		}
		parent::tearDown();
	}

	public function testNewTracesAreShownOnceAndOldOnesNot(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$old = $builder->id();
		$builder->trace($old, [['name' => 'old', 'ms' => 1]]);
		$this->start();
		$this->awaitOutput('TRACE');
		$builder->trace($builder->id(), [['name' => 'first', 'ms' => 1]]);
		$this->awaitOutput('first');
		$builder->db->exec('UPDATE traces SET stored_ns = stored_ns + 5000000000');
		$builder->trace($builder->id(), [['name' => 'second', 'ms' => 1]],
			['stored' => self::now() + 9_000_000_000]);
		$this->awaitOutput('second');
		$this->assertSame([0, 1, 1], array_map(fn (string $name): int
			=> substr_count($this->output(), $name), ['old', 'first', 'second']));
	}

	public function testAnIncompleteTraceIsShownWhenItIsComplete(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace($builder->id(), [['name' => 'slow', 'ms' => 1]], ['complete' => 0]);
		$this->start();
		$this->awaitOutput('TRACE');
		$builder->trace($builder->id(), [['name' => 'quick', 'ms' => 1]]);
		$this->awaitOutput('quick');
		$this->assertStringNotContainsString('slow', $this->output());
		$builder->db->exec("UPDATE traces SET complete = 1, stored_ns = stored_ns + 9000000000
			WHERE name = 'slow'");
		$this->awaitOutput('slow');
	}

	public function testItFiltersAsListDoes(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$this->start(null, '--error');
		$this->awaitOutput('TRACE');
		$builder->trace($builder->id(), [['name' => 'fine', 'ms' => 1]]);
		$builder->trace($builder->id(), [['name' => 'broken', 'ms' => 1, 'status' => 2]]);
		$this->awaitOutput('broken');
		$this->assertStringNotContainsString('fine', $this->output());
	}

	public function testWithSinceItBeginsWithWhatThereIs(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace($builder->id(), [['name' => 'recent', 'ms' => 1]]);
		$this->start(null, '--since', '5m', '--json');
		$this->awaitOutput('"name":"recent"');
	}

	public function testAnInterruptEndsItInPeace(): void
	{
		if (!extension_loaded('pcntl')) {
			$this->markTestSkipped('without pcntl the signal itself ends it');
		}
		new StoreBuilder("$this->directory/traces.db");
		$this->start();
		$this->awaitOutput('TRACE');
		proc_terminate($this->process, SIGINT);
		$status = [];
		self::await(function () use (&$status): bool {
			$status = proc_get_status($this->process);
			return !$status['running'];
		}, 'the end');
		$this->assertSame([0, false], [$status['exitcode'], $status['signaled']]);
	}

	public function testWhereThereIsNoStoreYetItWaitsAndShowsWhatCameWithIt(): void
	{
		foreach (['live', 'sealed', 'control', 'store'] as $folder) {
			mkdir("$this->directory/spool/$folder", 0700, true);
		}
		$this->start(['--spool', "$this->directory/spool"]);
		self::await(fn (): bool => str_contains((string) file_get_contents("$this->directory/errors"),
			'waiting for one'), 'a word on stderr');
		$builder = new StoreBuilder("$this->directory/new.db");
		$builder->trace($builder->id(), [['name' => 'first ever', 'ms' => 1]]);
		$builder->db->exec('PRAGMA wal_checkpoint(TRUNCATE)');
		rename("$this->directory/new.db", "$this->directory/spool/store/traces.db");
		$this->awaitOutput('first ever');
	}

	public function testAStoreThatWasRemovedIsWaitedFor(): void
	{
		new StoreBuilder("$this->directory/traces.db");
		$this->start();
		$this->awaitOutput('TRACE');
		array_map('unlink', glob("$this->directory/traces.db*"));
		self::await(fn (): bool => str_contains((string) file_get_contents("$this->directory/errors"),
			'waiting for one'), 'a word on stderr');
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace($builder->id(), [['name' => 'reborn', 'ms' => 1]]);
		$this->awaitOutput('reborn');
	}

	public function testItGoesOnInAStoreThatTookTheOldOnesPlace(): void
	{
		new StoreBuilder("$this->directory/traces.db");
		$this->start();
		$this->awaitOutput('TRACE');
		$new = new StoreBuilder("$this->directory/new.db");
		$new->trace($new->id(), [['name' => 'reborn', 'ms' => 1]]);
		$new->db->exec('PRAGMA wal_checkpoint(TRUNCATE)');
		foreach (['-wal', '-shm'] as $suffix) {
			@unlink("$this->directory/traces.db$suffix");
		}
		rename("$this->directory/new.db", "$this->directory/traces.db");
		$this->awaitOutput('reborn');
	}
}
