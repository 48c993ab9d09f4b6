<?php
declare(strict_types=1);

namespace Shop;

/** The shop's SQLite database; made and filled the first time that somebody asks. */
final class Database
{
	private ?\PDO $pdo = null;

	public function __construct(public readonly string $directory)
	{
	}

	/** $SHOP_DATA, else a directory of this user's among the temporary files. */
	public static function defaultDirectory(): string
	{
		$directory = getenv('SHOP_DATA');
		return $directory !== false && $directory !== ''
			? $directory
			: sys_get_temp_dir() . '/opa-shop-' . get_current_user();
	}

	/** All rows of a query; the query is a span. */
	public function rows(string $summary, string $sql, array $parameters = []): array
	{
		return Trace::span($summary, function () use ($sql, $parameters): array {
			$statement = $this->pdo()->prepare($sql);
			$statement->execute($parameters);
			$rows = $statement->fetchAll();
			Trace::tag('db.response.returned_rows', \count($rows));
			return $rows;
		}, ['db.system.name' => 'sqlite', 'db.query.text' => $sql]);
	}

	/** The first row, or null. */
	public function row(string $summary, string $sql, array $parameters = []): ?array
	{
		return $this->rows($summary, $sql, $parameters)[0] ?? null;
	}

	/** Runs $work in a transaction: whole or not at all. */
	public function transaction(callable $work): mixed
	{
		$pdo = $this->pdo();
		$pdo->exec('BEGIN IMMEDIATE');
		try {
			$result = $work($pdo);
			$pdo->exec('COMMIT');
			return $result;
		} catch (\Throwable $e) {
			$pdo->exec('ROLLBACK');
			throw $e;
		}
	}

	private function pdo(): \PDO
	{
		$tags = ['db.system.name' => 'sqlite'];
		return $this->pdo ??= Trace::span('connect', $this->open(...), $tags);
	}

	private function open(): \PDO
	{
		@mkdir($this->directory, 0700, true);
		if (!is_dir($this->directory)) {
			throw new \RuntimeException("cannot make $this->directory");
		}
		$pdo = new \PDO("sqlite:$this->directory/shop.db", options: [
			\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION,
			\PDO::ATTR_DEFAULT_FETCH_MODE => \PDO::FETCH_ASSOC,
			\PDO::ATTR_TIMEOUT => 5,
		]);
		if ($pdo->query('PRAGMA user_version')->fetchColumn() === 0) {
			Trace::span('seed', static fn () => self::seed($pdo));
		}
		return $pdo;
	}

	/** Several workers may come here at once: the first one fills it, the others find it filled. */
	private static function seed(\PDO $pdo): void
	{
		$pdo->exec('BEGIN IMMEDIATE');
		if ($pdo->query('PRAGMA user_version')->fetchColumn() === 0) {
			$pdo->exec(file_get_contents(__DIR__ . '/schema.sql'));
			$pdo->exec('PRAGMA user_version = 1');
			Trace::event('seeded');
		}
		$pdo->exec('COMMIT');
	}
}
