<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * A spool directory, read only (docs/internals-spool.md has its text files). Of other users' nothing
 * is looked at but the directory itself: what is in it may have been put there for us.
 */
final class Spool
{
	/** Less than a block. */
	private const NO_ROOM = 4096;

	/** Where a journal's header names its destination (export/opa_journal_format.h). */
	private const JOURNAL_DESTINATION = 8;

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
				|| !(OwnFile::isDirectory("$path/live") && OwnFile::isDirectory("$path/control")))) {
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

	/** @return array<string, array<string, string>> by their names, 16 hex digits */
	public function destinations(): array
	{
		$found = [];
		foreach ($this->mine ? (glob("$this->path/dest/*") ?: []) : [] as $file) {
			if (preg_match('/^[0-9a-f]{16}$/', basename($file))) {
				$found[basename($file)] = $this->pairs($file);
			}
		}
		return array_filter($found);
	}

	/** A destination as it stands there, with its secrets; '' when it does not. */
	public function definition(string $id): string
	{
		return $this->mine ? OwnFile::read("$this->path/dest/$id", $this->owner, 65536) : '';
	}

	/**
	 * Those that its journals are for; where there are none, the newest.
	 * @return list<string> names, 16 hex digits
	 */
	public function currentDestinations(): array
	{
		$ids = [];
		foreach (['live', 'sealed'] as $folder) {
			foreach (array_keys($this->journals($folder)) as $name) {
				$head = OwnFile::read("$this->path/$folder/$name", $this->owner, self::JOURNAL_DESTINATION + 8);
				if (strlen($head) === self::JOURNAL_DESTINATION + 8) {
					$ids[sprintf('%016x', unpack('q', $head, self::JOURNAL_DESTINATION)[1])] = true;
				}
			}
		}
		$known = $this->destinations();
		$current = array_intersect_key($known, $ids);
		if ($current === []) {
			uksort($known, fn (string $a, string $b): int => OwnFile::stat("$this->path/dest/$b")['mtime']
				<=> OwnFile::stat("$this->path/dest/$a")['mtime']);
			$current = array_slice($known, 0, 1, true);
		}
		return array_map('strval', array_keys($current));
	}

	/** @return list<string> the URLs of the collectors that traces are sent to, without credentials */
	public function collectors(): array
	{
		$urls = [];
		foreach ($this->destinations() as $d) {
			if (($d['type'] ?? '') === 'otlp') {
				$urls[] = self::withoutCredentials($d['endpoint'] ?? '');
			}
		}
		return array_values(array_unique($urls));
	}

	/** A URL for people; what is none stays as it is. */
	public static function withoutCredentials(string $url): string
	{
		if (!str_contains($url, '://')) {
			return $url;
		}
		$url = (string) preg_replace('~^([^/]*//)[^/?]*@~', '$1REDACTED@', $url);
		return (string) preg_replace('/\?.*/s', '?REDACTED', $url);
	}

	/**
	 * The journals that are for a local store, or for nobody that is known: name => size.
	 * @return array<string, int>
	 */
	public function localJournals(): array
	{
		$collectors = array_filter($this->destinations(),
			static fn (array $d): bool => ($d['type'] ?? '') === 'otlp');
		$journals = ['live' => $this->journals('live'), 'sealed' => $this->journals('sealed')];
		foreach ($collectors === [] ? [] : $journals as $folder => $names) {
			foreach (array_keys($names) as $name) {
				$head = OwnFile::read("$this->path/$folder/$name", $this->owner, self::JOURNAL_DESTINATION + 8);
				$id = strlen($head) < self::JOURNAL_DESTINATION + 8 ? ''
					: sprintf('%016x', unpack('q', $head, self::JOURNAL_DESTINATION)[1]);
				if (isset($collectors[$id])) {
					unset($journals[$folder][$name]);
				}
			}
		}
		return $journals['live'] + $journals['sealed'];
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
	 * What the processes have counted whose numbers are not in the store, and what the exporter has
	 * counted for collectors, added up.
	 * @param array<string, int> $stored files (by name) whose numbers are in the store already
	 * @return array<string, int>
	 */
	public function counters(array $stored): array
	{
		$sum = $this->mine ? $this->controlFiles()->sum($stored) : [];
		foreach ($this->mine ? (glob("$this->path/dest/*.sent") ?: []) : [] as $file) {
			foreach ($this->pairs($file) as $name => $value) {
				if (preg_match('/^[a-z_]+$/', (string) $name)) {
					$sum[$name] = ($sum[$name] ?? 0) + (int) $value;
				}
			}
		}
		return $sum;
	}

	public function isDiskFull(): bool
	{
		return $this->mine && (float) @disk_free_space($this->path) < self::NO_ROOM
			&& @disk_total_space($this->path) > 0;
	}

	/** Why there may be losses that nobody could count. */
	public function uncounted(): ?string
	{
		if (!$this->mine || $this->controlFiles()->haveCommon()) {
			return null;
		}
		if ($this->isDiskFull()) {
			return "the spool's file system is full, and has no room to count what is lost";
		}
		return $this->controlFiles()->lackCommon() ? 'there was no room to count what is lost' : null;
	}

	private function controlFiles(): ControlFiles
	{
		return new ControlFiles($this->path, $this->owner);
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
