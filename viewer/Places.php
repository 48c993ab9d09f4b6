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

	/** @return list<Spool> of all users; of others only the directory itself is known */
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
			$spool = Spool::at($path, $this->env->user->uid);
			if ($spool !== null) {
				$spools[$spool->mine ? (realpath($path) ?: $path) : $path] = $spool;
			}
		}
		return array_values($spools);
	}

	/**
	 * Store files that exist and are fit to be read: path => uid of the owner.
	 * @param list<Spool> $spools
	 * @return array<string, int>
	 */
	public function stores(array $spools): array
	{
		$paths = glob($this->env->root . '/var/lib/opa/*/traces.db') ?: [];
		$setting = $this->env->setting('opa.store_path');
		if ($setting !== null) {
			$paths[] = Store::file($setting);
		}
		foreach ($this->stateDirectories() as $directory) {
			$paths[] = "$directory/opa/traces.db";
		}
		return $this->fit($spools, $paths);
	}

	/**
	 * The same, of these spools only.
	 * @param list<Spool> $spools
	 * @param list<string> $paths more of them
	 * @return array<string, int>
	 */
	public function fit(array $spools, array $paths = []): array
	{
		foreach ($spools as $spool) {
			array_push($paths, ...($spool->mine ? $spool->storePaths($this->env->root) : []));
		}
		$stores = [];
		foreach ($paths as $path) {
			if (Store::isFit($path, $this->env->user)) {
				$stores[realpath($path) ?: $path] = (int) fileowner($path);
			}
		}
		return $stores;
	}

	/**
	 * Other users who have a place for opa: uid => path. That is all that is looked at.
	 * @param list<Spool> $spools
	 * @return array<int, string>
	 */
	public function others(array $spools): array
	{
		$others = [];
		foreach ($spools as $spool) {
			if (!$spool->mine) {
				$others[$spool->owner] ??= $spool->path;
			}
		}
		foreach (glob($this->env->root . '/var/lib/opa/*', GLOB_ONLYDIR) ?: [] as $directory) {
			$owner = OwnFile::stat($directory)['uid'] ?? 0;
			$isEmpty = is_executable($directory) && OwnFile::stat("$directory/traces.db") === null;
			if ($owner !== $this->env->user->uid && !$isEmpty) {
				$others[$owner] ??= $directory;
			}
		}
		return $others + $this->homes();
	}

	/** @return array<int, string> for root: users who have a store in their home, uid => path */
	private function homes(): array
	{
		$homes = [];
		$isRoot = $this->env->user->uid === 0 && $this->env->root === '';
		foreach ($isRoot ? (@file('/etc/passwd', FILE_IGNORE_NEW_LINES) ?: []) : [] as $line) {
			$fields = explode(':', $line);
			$path = rtrim($fields[5] ?? '', '/') . '/.local/state/opa/traces.db';
			$uid = (int) ($fields[2] ?? 0);
			if ($uid !== 0 && (OwnFile::stat($path)['uid'] ?? 0) === $uid) {
				$homes[$uid] ??= $path;
			}
		}
		return $homes;
	}

	/** @return list<string> */
	private function stateDirectories(): array
	{
		$home = $this->env->get('HOME') ?? $this->env->user->home;
		$directory = $this->env->get('XDG_STATE_HOME') ?? ($home === null ? '' : "$home/.local/state");
		return $directory === '' ? [] : [$directory];
	}
}
