<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What the processes of a spool have counted: its control files and the common one (export/opa_control.h). */
final class ControlFiles
{
	/** The counters of a file, in its order. */
	public const COUNTERS = [
		'traces_started', 'traces_kept', 'spans_started', 'spans_kept', 'traces_sampled_out',
		'spans_dropped_spool_full', 'spans_dropped_disk_full', 'spans_dropped_no_spool',
		'spans_dropped_file_limit', 'spans_dropped_io_error', 'spans_dropped_too_large',
		'spans_dropped_no_memory', 'refused_trace_size', 'refused_no_memory', 'attributes_dropped',
		'events_dropped', 'links_dropped', 'values_cut', 'spans_unfinished', 'journals_lost',
		'exporter_started', 'exporter_failed', 'spans_dropped_no_descriptor', 'traces_lost',
		'traces_rate_limited',
	];

	private const MAGIC = 0x4341504f;
	private const VERSION = 1;
	private const SIZE = 4096;
	private const HEAD = 48;
	private const OWNER = 8;
	private const RUNNING = self::HEAD + 63 * 8;
	private const SLOTS = self::HEAD + 64 * 8 + 4 * 16;
	private const OF_THE_DEAD = 1;
	private const COMMON = 'counters';

	public function __construct(private readonly string $spool, private readonly int $owner)
	{
	}

	/**
	 * Added up.
	 * @param array<string, int> $stored files (by name) whose numbers are in the store already
	 * @return array<string, int>
	 */
	public function sum(array $stored): array
	{
		$sum = array_fill_keys(self::COUNTERS, 0);
		$files = array_diff_key($this->files(), $stored);
		foreach ($files as $data) {
			foreach (self::merged($data) as $name) {
				unset($files[$name]);
			}
		}
		$files[self::COMMON] = $this->read(self::COMMON);
		foreach (array_filter($files) as $data) {
			$values = unpack('q' . count(self::COUNTERS), $data, self::HEAD);
			foreach (self::COUNTERS as $i => $name) {
				$sum[$name] += $values[$i + 1];
			}
			$lost = unpack('q', $data, self::RUNNING)[1];
			$sum['traces_started'] += $lost;
			$sum['traces_lost'] += $lost;
		}
		return $sum;
	}

	/** Whether a process that can make no file of its own finds a place for what it counts. */
	public function haveCommon(): bool
	{
		return $this->read(self::COMMON) !== null;
	}

	/** Whether somebody has tried to make that place, in vain. */
	public function lackCommon(): bool
	{
		return !$this->haveCommon() && OwnFile::isRegular(OwnFile::stat("$this->spool/" . self::COMMON));
	}

	/** @return array<string, string> name => content of those whose format is known */
	private function files(): array
	{
		$files = [];
		foreach (glob("$this->spool/control/*.[cd]") ?: [] as $path) {
			$files[basename($path)] = $this->read('control/' . basename($path));
		}
		return array_filter($files);
	}

	/**
	 * What a process runs is lost only when it is gone. That is asked before its last numbers are read;
	 * an exporter that has claimed the file (.d) has asked before.
	 */
	private function read(string $name): ?string
	{
		$file = OwnFile::open("$this->spool/$name", $this->owner);
		if ($file === null) {
			return null;
		}
		$owner = (string) stream_get_contents($file, self::HEAD, 0);
		$gone = str_ends_with($name, '.d') || (str_ends_with($name, '.c')
			&& strlen($owner) === self::HEAD && Owner::isGone(substr($owner, self::OWNER), $file));
		$data = (string) stream_get_contents($file, self::SIZE, 0);
		$head = strlen($data) === self::SIZE ? unpack('Lmagic/Sversion', $data) : [];
		if ($head !== ['magic' => self::MAGIC, 'version' => self::VERSION]) {
			return null;
		}
		return $gone ? $data : substr_replace($data, str_repeat("\0", 8), self::RUNNING, 8);
	}

	/**
	 * What a sum has taken in: who made it may not have come to remove it.
	 * @return list<string>
	 */
	private static function merged(string $data): array
	{
		if (unpack('S', $data, 6)[1] !== self::OF_THE_DEAD) {
			return [];
		}
		$count = unpack('q', $data, self::SLOTS)[1];
		$names = [];
		for ($i = 0; $i < $count; $i++) {
			$names[] = substr($data, self::SLOTS + 8 + 32 * $i, 32) . '.c';
		}
		return $names;
	}
}
