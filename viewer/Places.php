<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Where spools and stores may be: the places of docs/store.md, for this user and for others. */
final class Places
{
	private const SPOOLS = ['/run/opa/*', '/var/spool/opa/*', '/run/user/*/opa', '/dev/shm/opa-*'];

	public function __construct(private readonly Environment $env)
	{
	}

	/** @return list<Spool> of all users, as far as one can see them */
	public function spools(): array
	{
		$paths = [];
		$setting = $this->env->setting('opa.spool_dir');
		if ($setting !== null) {
			$paths = [$setting, ...(glob("$setting/*", GLOB_ONLYDIR) ?: [])];
		}
		$runtime = $this->env->get('XDG_RUNTIME_DIR');
		if ($runtime !== null) {
			$paths[] = "$runtime/opa";
		}
		foreach (self::SPOOLS as $pattern) {
			array_push($paths, ...(glob($this->env->root . $pattern) ?: []));
		}
		$spools = [];
		foreach ($paths as $path) {
			$spool = Spool::at($path);
			if ($spool !== null) {
				$spools[realpath($path) ?: $path] = $spool;
			}
		}
		return array_values($spools);
	}

	/**
	 * Store files that exist: path => uid of the owner. Also those of other users, where one can see
	 * them.
	 * @param list<Spool> $spools
	 * @return array<string, int>
	 */
	public function stores(array $spools): array
	{
		$paths = [];
		$setting = $this->env->setting('opa.store_path');
		if ($setting !== null) {
			$paths[] = Store::file($setting);
		}
		foreach ($spools as $spool) {
			array_push($paths, ...$spool->storePaths($this->env->root));
		}
		array_push($paths, ...(glob($this->env->root . '/var/lib/opa/*/traces.db') ?: []));
		foreach ($this->stateDirectories() as $directory) {
			$paths[] = "$directory/opa/traces.db";
		}
		$stores = [];
		foreach ($paths as $path) {
			if (@is_file($path)) {
				$stores[realpath($path) ?: $path] = (int) fileowner($path);
			}
		}
		return $stores;
	}

	/**
	 * Users whose directories for opa can be seen, but not entered: uid => path.
	 * @param list<Spool> $spools
	 * @return array<int, string>
	 */
	public function closed(array $spools): array
	{
		$closed = [];
		foreach ($spools as $spool) {
			if (!$spool->readable && $spool->owner !== $this->env->user->uid) {
				$closed[$spool->owner] = $spool->path;
			}
		}
		foreach (glob($this->env->root . '/var/lib/opa/*', GLOB_ONLYDIR) ?: [] as $directory) {
			$owner = (int) fileowner($directory);
			if (!is_readable($directory) && $owner !== $this->env->user->uid) {
				$closed[$owner] ??= $directory;
			}
		}
		return $closed;
	}

	/** @return list<string> */
	private function stateDirectories(): array
	{
		$home = $this->env->get('HOME') ?? $this->env->user->home;
		$directories = [$this->env->get('XDG_STATE_HOME') ?? ($home === null ? '' : "$home/.local/state")];
		if ($this->env->user->uid === 0 && $this->env->root === '') {
			foreach (@file('/etc/passwd', FILE_IGNORE_NEW_LINES) ?: [] as $line) {
				$home = explode(':', $line)[5] ?? '';
				$directories[] = $home === '' ? '' : rtrim($home, '/') . '/.local/state';
			}
		}
		return array_filter(array_unique($directories), static fn (string $d): bool => $d !== '');
	}
}
