<?php

declare(strict_types=1);

namespace Opa\Tests;

use PHPUnit\Framework\TestCase;

/** Runs the viewer as a user does: as a process, with arguments and an environment. */
abstract class ViewerTestCase extends TestCase
{
	protected string $directory;

	protected function setUp(): void
	{
		$this->directory = sys_get_temp_dir() . '/opa-viewer-' . bin2hex(random_bytes(6));
		mkdir($this->directory, 0755);
	}

	protected function tearDown(): void
	{
		self::remove($this->directory);
	}

	protected static function top(): string
	{
		return dirname(__DIR__, 2);
	}

	protected static function now(): int
	{
		return (int) (microtime(true) * 1e6) * 1000;
	}

	/** A store with all the traces of the fixtures, the newest a minute old. */
	protected function fixtureStore(): string
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->db->beginTransaction();
		Traces::all($builder, self::now() - 60_000_000_000);
		$builder->db->commit();
		return $builder->path;
	}

	/** @return list<string> */
	protected static function command(): array
	{
		return [self::top() . '/bin/opa'];
	}

	/**
	 * Runs a program to its end.
	 * @param list<string> $command
	 * @param array<string, string> $env beside PATH
	 */
	protected static function execute(array $command, array $env = [], ?string $cwd = null): Result
	{
		$out = tmpfile();
		$err = tmpfile();
		$process = proc_open($command, [['file', '/dev/null', 'r'], $out, $err], $pipes, $cwd,
			$env + ['PATH' => (string) getenv('PATH'), 'TZ' => 'UTC', 'HOME' => '/nonexistent']);
		$code = proc_close($process);
		rewind($out);
		rewind($err);
		return new Result($code, (string) stream_get_contents($out), (string) stream_get_contents($err));
	}

	/** @param array<string, string> $env */
	protected static function opa(array $arguments, array $env = []): Result
	{
		return self::execute([...static::command(), ...$arguments], $env);
	}

	/** On the fixtures' store. */
	protected function onFixtures(string ...$arguments): Result
	{
		$path = "$this->directory/traces.db";
		if (!is_file($path)) {
			$this->fixtureStore();
		}
		return self::opa([...$arguments, '--store', $path, '--no-import'], ['COLUMNS' => '120']);
	}

	/** Waits for something to become true; fails when it does not within some seconds. */
	protected static function await(callable $condition, string $what): void
	{
		for ($i = 0; $i < 500; $i++) {
			if ($condition()) {
				self::assertTrue(true);
				return;
			}
			usleep(20_000);
		}
		self::fail("did not happen: $what");
	}

	private static function remove(string $path): void
	{
		if (is_dir($path) && !is_link($path)) {
			foreach (array_diff(scandir($path), ['.', '..']) as $name) {
				self::remove("$path/$name");
			}
			rmdir($path);
		} else {
			unlink($path);
		}
	}
}
