<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * A spool directory, read only (docs/internals-spool.md has its text files). Of other users' nothing
 * is looked at but the directory itself: what is in it may have been put there for us.
 */
final class Spool
{
	/** The counters of a control file, in its order (export/opa_control.h). */
	public const COUNTERS = [
		'traces_started', 'traces_kept', 'spans_started', 'spans_kept', 'traces_sampled_out',
		'spans_dropped_spool_full', 'spans_dropped_disk_full', 'spans_dropped_no_spool',
		'spans_dropped_file_limit', 'spans_dropped_io_error', 'spans_dropped_too_large',
		'spans_dropped_no_memory', 'refused_trace_size', 'refused_no_memory', 'attributes_dropped',
		'events_dropped', 'links_dropped', 'values_cut', 'spans_unfinished', 'journals_lost',
		'exporter_started', 'exporter_failed', 'spans_dropped_no_descriptor', 'traces_rate_limited',
	];

	private const CONTROL_MAGIC = 0x4341504f;
	private const CONTROL_SIZE = 4096;
	private const CONTROL_HEAD = 48;
	private const CONTROL_SLOTS = self::CONTROL_HEAD + 64 * 8 + 4 * 16;
	private const CONTROL_OF_THE_DEAD = 1;

	private function __construct(
		public readonly string $path,
		public readonly int $owner,
		public readonly bool $mine,
	) {
	}

	/**
	 * Null when no directory is there, or one of that user's that is not a spool. A symlink is no
	 * spool; nor is a directory into which others can write.
	 */
	public static function at(string $path, int $uid): ?self
	{
		$path = rtrim($path, '/');
		$stat = OwnFile::stat($path);
		if (!OwnFile::isDirectory($path) || $stat === null) {
			return null;
		}
		$mine = $stat['uid'] === $uid;
		if ($mine && (($stat['mode'] & 0022) !== 0
				|| !(OwnFile::isDirectory("$path/live") || OwnFile::isDirectory("$path/dest")))) {
			return null;
		}
		return new self($path, $stat['uid'], $mine);
	}

	/** @return array<string, string> what the exporter has to say; empty when there is none yet */
	public function state(): array
	{
		return $this->mine ? $this->pairs("$this->path/state") : [];
	}

	/** Whether an exporter serves it: that one holds the lock of the file `lease`. */
	public function isServed(): bool
	{
		$lease = $this->mine ? OwnFile::open("$this->path/lease", $this->owner) : null;
		for ($i = 0; $lease !== null && $i < 5; $i++) {
			if (flock($lease, LOCK_SH | LOCK_NB)) {
				return false;
			}
			usleep(2_000); // somebody who only looks whether it is free holds it for a moment, too
		}
		return $lease !== null;
	}

	/** errno of the last start of the exporter; 0 when that went well, or nobody has tried. */
	public function launchErrno(): int
	{
		return $this->mine ? (int) OwnFile::read("$this->path/launch", $this->owner, 16) : 0;
	}

	/** Whether the exporter that was started last has ended without having written `state`. */
	public function isMute(): bool
	{
		$lease = $this->mine ? OwnFile::open("$this->path/lease", $this->owner) : null;
		if ($lease === null || ($facts = fstat($lease))['size'] === 0) {
			return false;
		}
		return !$this->isServed() && (int) @lstat("$this->path/state")['mtime'] < $facts['mtime'];
	}

	/** @return list<array<string, string>> */
	public function destinations(): array
	{
		$files = $this->mine ? glob("$this->path/dest/*") : [];
		return array_values(array_filter(array_map($this->pairs(...), $files ?: [])));
	}

	/**
	 * The journals that lie here: name => size.
	 * @param string $folder live or sealed
	 * @return array<string, int>
	 */
	public function journals(string $folder): array
	{
		$found = [];
		foreach ($this->mine ? (glob("$this->path/$folder/*.j") ?: []) : [] as $file) {
			$stat = OwnFile::stat($file);
			if (OwnFile::isRegular($stat)) {
				$found[basename($file)] = $stat['size'];
			}
		}
		return $found;
	}

	public function isOff(): bool
	{
		return $this->mine && file_exists("$this->path/off");
	}

	/**
	 * Files that its destinations name or would be searched at, existing or not.
	 * @return list<string>
	 */
	public function storePaths(string $root): array
	{
		$paths = [$this->state()['store'] ?? ''];
		foreach ($this->destinations() as $d) {
			if (($d['type'] ?? '') !== 'store') {
				continue;
			}
			if (($d['path'] ?? '') !== '') {
				$paths[] = Store::file($d['path']);
				continue;
			}
			$home = $d['home'] ?? '';
			$state = $d['state_dir'] ?? ($home === '' ? '' : "$home/.local/state");
			$paths[] = "$root/var/lib/opa/$this->owner/traces.db";
			$paths[] = $state === '' ? '' : "$state/opa/traces.db";
		}
		$paths[] = "$this->path/store/traces.db";
		return array_values(array_unique(array_filter($paths, static fn ($p) => $p !== '')));
	}

	/**
	 * What the processes have counted whose numbers are not in the store, added up.
	 * @param array<string, int> $stored files (by name) whose numbers are in the store already
	 * @return array<string, int>
	 */
	public function counters(array $stored): array
	{
		$sum = array_fill_keys(self::COUNTERS, 0);
		$files = array_diff_key($this->controlFiles(), $stored);
		foreach ($files as $data) {
			foreach (self::merged($data) as $name) {
				unset($files[$name]);
			}
		}
		foreach ($files as $data) {
			$values = unpack('q' . count(self::COUNTERS), $data, self::CONTROL_HEAD);
			foreach (self::COUNTERS as $i => $name) {
				$sum[$name] += $values[$i + 1];
			}
		}
		return $sum;
	}

	/** @return array<string, string> name => content of those whose format is known */
	private function controlFiles(): array
	{
		$files = [];
		foreach ($this->mine ? (glob("$this->path/control/*.[cd]") ?: []) : [] as $path) {
			$data = OwnFile::read($path, $this->owner, self::CONTROL_SIZE);
			$head = strlen($data) === self::CONTROL_SIZE ? unpack('Lmagic/Sversion', $data) : [];
			if ($head === ['magic' => self::CONTROL_MAGIC, 'version' => 1]) {
				$files[basename($path)] = $data;
			}
		}
		return $files;
	}

	/**
	 * What a sum has taken in: who made it may not have come to remove it.
	 * @return list<string>
	 */
	private static function merged(string $data): array
	{
		if (unpack('S', $data, 6)[1] !== self::CONTROL_OF_THE_DEAD) {
			return [];
		}
		$count = unpack('q', $data, self::CONTROL_SLOTS)[1];
		$names = [];
		for ($i = 0; $i < $count; $i++) {
			$names[] = substr($data, self::CONTROL_SLOTS + 8 + 32 * $i, 32) . '.c';
		}
		return $names;
	}

	/** @return array<string, string> */
	private function pairs(string $file): array
	{
		$pairs = [];
		foreach (explode("\n", OwnFile::read($file, $this->owner, 65536)) as $line) {
			$parts = explode('=', $line, 2);
			if (count($parts) === 2) {
				$pairs[$parts[0]] = $parts[1];
			}
		}
		return $pairs;
	}
}
