<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Runs the viewer in a system of its own: spools and stores of several users. */
abstract class ViewerSystemTestCase extends ViewerTestCase
{
	protected const OTHER = 'www-data';

	/** The viewer in a system of its own, below the test's directory. */
	protected function inRoot(array $arguments, array $env = [], ?string $user = null): Result
	{
		$command = [PHP_BINARY, self::top() . '/tests/e2e/fixtures/viewer-in-root.php', $this->directory,
			...$arguments];
		if ($user !== null) {
			$command = ['setpriv', "--reuid=$user", '--regid=65534', '--clear-groups', ...$command];
		}
		return self::execute($command, $env + ['COLUMNS' => '120', 'XDEBUG_MODE' => 'off']);
	}

	/** A spool as the extension makes it, with a store in it and a journal that waits. */
	protected function spool(string $path, string $span = 'x', int $start = 0, ?string $owner = null): StoreBuilder
	{
		if (!is_dir(dirname($path))) {
			mkdir(dirname($path), 0755, true);
		}
		foreach (['', '/live', '/sealed', '/dest', '/control', '/store'] as $folder) {
			mkdir($path . $folder, 0700, true);
		}
		file_put_contents("$path/dest/0123456789abcdef", "type=store\nmax_size=1000000\n");
		file_put_contents("$path/live/" . str_repeat('ab', 16) . '.1.j', 'journal');
		$builder = new StoreBuilder("$path/store/traces.db");
		$builder->trace($builder->id(), [['name' => $span, 'ms' => 1]],
			['start' => $start ?: self::now() - 5_000_000_000]);
		if ($owner !== null) {
			$builder->db->exec('PRAGMA wal_checkpoint(TRUNCATE)');
			self::execute(['chown', '-R', $owner, $path]);
		}
		return $builder;
	}

	/** A program in the exporter's place. It notes how it was called. */
	protected function exporter(string $script): array
	{
		$path = "$this->directory/opa-exporter";
		file_put_contents($path, "#!/bin/sh\necho \"\$@\" >> '$this->directory/calls'\n$script\n");
		chmod($path, 0755);
		return ['OPA_EXPORTER' => $path];
	}

	protected function calls(): string
	{
		return (string) @file_get_contents("$this->directory/calls");
	}

	protected function mySpool(): string
	{
		return "$this->directory/dev/shm/opa-" . posix_geteuid();
	}

	protected function needsRoot(): void
	{
		if (posix_geteuid() !== 0 || posix_getpwnam(self::OTHER) === false) {
			$this->markTestSkipped('needs root, and the user ' . self::OTHER);
		}
		if ((fileperms(sys_get_temp_dir()) & 1) === 0) {
			$this->markTestSkipped(sys_get_temp_dir() . ' is closed to other users');
		}
	}
}
