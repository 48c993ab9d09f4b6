<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A store (docs/store.md), opened for reading only. */
final class Store
{
	private const VERSION = 1;
	private const LOOKED_THROUGH = 100_000;
	private const TABLES = ['traces', 'spans', 'resources', 'positions', 'counters'];

	private function __construct(
		public readonly string $path,
		private readonly \PDO $db,
		private readonly int $inode,
	) {
	}

	/** opa.store_path: a directory, or a file whose name ends in .db. */
	public static function file(string $path): string
	{
		$isFile = str_ends_with($path, '.db') || (file_exists($path) && !is_dir($path));
		return $isFile ? $path : rtrim($path, '/') . '/traces.db';
	}

	/**
	 * Whether it may be read without having been asked for: the user's own, or one that its owner has
	 * opened to a group of the user's (opa.store_group), where nobody else can have put a file.
	 */
	public static function isFit(string $path, Identity $user): bool
	{
		$file = OwnFile::stat($path);
		$directory = OwnFile::stat(dirname($path));
		if ($directory === null || self::objection($path, $file) !== null
				|| !in_array($directory['uid'], [$file['uid'], 0], true)) {
			return false;
		}
		if ($file['uid'] === $user->uid) {
			return true;
		}
		return ($file['mode'] & 0042) === 0040 && in_array($file['gid'], $user->groups(), true)
			&& ($directory['mode'] & 0022) === 0 && $directory['gid'] === $file['gid'] && is_readable($path);
	}

	/** Anybody's file: the user has named it, or isFit() has looked at it. */
	public static function open(string $path, Environment $env): self
	{
		$path = realpath($path) ?: $path;
		$file = OwnFile::stat($path);
		if ($file === null) {
			throw new Problem("there is no store at $path", "Which ones there are:  opa status");
		}
		$objection = self::objection($path, $file);
		if ($objection !== null) {
			throw new Problem($objection);
		}
		if (!is_readable($path)) {
			$owner = Identity::byUid($file['uid']);
			throw new Problem("$path belongs to $owner->name and may not be read",
				'Try:  ' . $env->commandAs($owner));
		}
		try {
			$db = new \PDO("sqlite:$path", null, null, self::attributes());
			$version = (int) $db->query('PRAGMA user_version')->fetchColumn();
			$isStore = self::hasTables($db);
			$db->exec('PRAGMA trusted_schema = OFF');
		} catch (\PDOException $e) {
			throw self::problem($path, $e, true);
		}
		if ($version > self::VERSION) {
			throw new Problem("$path was made by a newer opa (schema $version, this one knows "
				. self::VERSION . ')', 'Update this opa.');
		}
		if ($version === 0 || !$isStore) {
			throw new Problem("$path is not a store of opa's");
		}
		return new self($path, $db, $file['ino']);
	}

	/** False when another file has taken its place since it was opened. */
	public function isCurrent(): bool
	{
		clearstatcache();
		return @fileinode($this->path) === $this->inode;
	}

	/**
	 * All rows, as arrays by column name.
	 * @param array<string|int, mixed> $values
	 * @return list<array<string, mixed>>
	 */
	public function rows(string $sql, array $values = []): array
	{
		return $this->query($sql, $values)->fetchAll(\PDO::FETCH_ASSOC);
	}

	/** @param array<string|int, mixed> $values */
	public function value(string $sql, array $values = []): mixed
	{
		return $this->query($sql, $values)->fetchColumn();
	}

	/** @param array<string|int, mixed> $values */
	public function query(string $sql, array $values = []): \PDOStatement
	{
		try {
			$statement = $this->db->prepare($sql);
			foreach ($values as $name => $value) {
				$type = is_int($value) ? \PDO::PARAM_INT : \PDO::PARAM_STR;
				$statement->bindValue(is_int($name) ? $name + 1 : $name, $value, $type);
			}
			$statement->execute();
			return $statement;
		} catch (\PDOException $e) {
			throw self::problem($this->path, $e);
		}
	}

	/** When the newest trace began, in nanoseconds; 0 when there is none. */
	public function newest(): int
	{
		return (int) $this->value('SELECT max(start_ns) FROM traces');
	}

	/**
	 * Whether spans of a complete trace are missing: its root says that some were dropped, or others
	 * name them as their parents.
	 * @param array<string, mixed> $trace a row of `traces` with root_attributes
	 */
	public function hasGaps(array $trace): bool
	{
		return (int) $trace['complete'] === 1
			&& (str_contains((string) $trace['root_attributes'], '"opa.dropped_spans":')
				|| (int) $trace['spans'] <= self::LOOKED_THROUGH && $this->hasOrphans($trace['trace_id']));
	}

	private function hasOrphans(string $traceId): bool
	{
		return (bool) $this->value('SELECT EXISTS (SELECT 1 FROM spans x WHERE x.trace_id = :id
				AND x.remote = 0 AND x.parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM spans p
				WHERE p.trace_id = x.trace_id AND p.span_id = x.parent_id))', ['id' => $traceId]);
	}

	/** @return array<string, int> how far each journal is in this store */
	public function positions(): array
	{
		$positions = [];
		foreach ($this->rows('SELECT journal, "offset" FROM positions') as $row) {
			$positions[$row['journal']] = (int) $row['offset'];
		}
		return $positions;
	}

	/**
	 * What the file is that it must not be; null: nothing. SQLite opens the two beside it as well.
	 * @param ?array<string, int> $file
	 */
	private static function objection(string $path, ?array $file): ?string
	{
		if (!OwnFile::isRegular($file)) {
			return "$path is no regular file";
		}
		foreach (['-wal', '-shm', '-journal'] as $suffix) {
			$beside = OwnFile::stat($path . $suffix);
			if ($beside !== null && (!OwnFile::isRegular($beside) || $beside['uid'] !== $file['uid'])) {
				return "$path$suffix is not a file of the store's owner";
			}
		}
		return null;
	}

	/** A view of that name could be anything, also something without an end. */
	private static function hasTables(\PDO $db): bool
	{
		$names = "('" . implode("', '", self::TABLES) . "')";
		$found = $db->query("SELECT lower(name), type = 'table' AND rootpage > 0 FROM sqlite_master
			WHERE lower(name) IN $names AND type IN ('table', 'view')")->fetchAll(\PDO::FETCH_KEY_PAIR);
		return count($found) === count(self::TABLES) && !in_array(0, array_map('intval', $found), true);
	}

	/** @return array<int, mixed> */
	private static function attributes(): array
	{
		// PHP 8.5 deprecates the constants of class PDO for those of its subclasses.
		$class = defined('Pdo\Sqlite::ATTR_OPEN_FLAGS') ? 'Pdo\Sqlite::' : 'PDO::SQLITE_';
		return [
			constant($class . 'ATTR_OPEN_FLAGS') => constant($class . 'OPEN_READONLY'),
			\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
			\PDO::ATTR_TIMEOUT => 5,
		];
	}

	private static function problem(string $path, \PDOException $e, bool $opening = false): Problem
	{
		$code = $e->errorInfo[1] ?? $e->getCode();
		$text = $e->errorInfo[2] ?? $e->getMessage();
		if ($opening && in_array((int) $code, [8, 14], true)) {
			return new Problem("$path cannot be opened: $text", 'A reader who may not write beside the '
				. "file needs $path-shm, which the exporter leaves there.");
		}
		return match ((int) $code) {
			5, 6 => new Problem("$path is locked by another program", 'Try again in a moment.'),
			8 => new Problem('the store is open for reading only: ' . $text),
			26 => new Problem("$path is not a store of opa's: $text"),
			11 => new Problem("$path is damaged: $text",
				"See what can be saved:  sqlite3 $path .recover"),
			default => new Problem($text),
		};
	}
}
