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
		'exporter_started', 'exporter_failed',
	];

	private const CONTROL_MAGIC = 0x4341504f;

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
	 * What the processes that are still there have counted, added up.
	 * @param array<string, int> $stored files (by name) whose numbers are in the store already
	 * @return array<string, int>
	 */
	public function counters(array $stored): array
	{
		$sum = array_fill_keys(self::COUNTERS, 0);
		foreach ($this->mine ? (glob("$this->path/control/*.c") ?: []) : [] as $file) {
			if (isset($stored[basename($file)])) {
				continue;
			}
			$data = OwnFile::read($file, $this->owner, 4096);
			if (strlen($data) < 48 + 8 * count(self::COUNTERS)) {
				continue;
			}
			$head = unpack('Lmagic/Sversion', $data);
			if ($head['magic'] !== self::CONTROL_MAGIC || $head['version'] !== 1) {
				continue;
			}
			$values = unpack('q' . count(self::COUNTERS), $data, 48);
			foreach (self::COUNTERS as $i => $name) {
				$sum[$name] += $values[$i + 1];
			}
		}
		return $sum;
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
