<?php
/*
 * Calls opa's functions at random, with good and bad arguments, from everywhere: __toString,
 * destructors, fibers, shutdown functions. `php anything.php SEED STEPS`: the same seed does the
 * same. It ends in order, by exit or by an uncaught exception; never otherwise.
 */
declare(strict_types=1);

final class Mischief
{
	private const DEPTH = 6;
	private const KEYS = ['k', 'db.password', '', "a\0b", "\xff\xfe", 'overwritten'];
	private const LINK = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

	/** @var array<int, string> */
	private static array $ids = ['', '0000000000000000', 'zzzzzzzzzzzzzzzz', 'aaaaaaaaaaaaaaaa', "\0"];
	/** @var array<int, Fiber> */
	private static array $fibers = [];
	private static array $held = [];
	private static int $depth = 0;

	public static function run(int $steps): void
	{
		for ($i = 0; $i < $steps; $i++) {
			self::act();
			self::$held = array_slice(self::$held, -20);
		}
		self::chance(3) && register_shutdown_function(self::act(...));
		self::chance(4) && opa_trace('exits', static fn (string $id) => opa_add_tag($id, 'k', new Exits()));
		self::chance(4) && throw new Odd();
	}

	/** One thing, and what that leads to. What it throws stays inside. */
	public static function act(): string
	{
		if (self::$depth >= self::DEPTH) {
			return 'deep enough';
		}
		self::$depth++;
		try {
			match (mt_rand(0, 22)) {
				0, 1, 2 => self::$ids[mt_rand(0, 60)] = opa_start_span(self::key(), self::tags(),
					self::chance(3) ? self::id() : null, mt_rand(-1, 7), self::time()),
				3, 4 => opa_end_span(self::id(), self::time()),
				5 => opa_add_tag(self::id(), self::key(), self::value()),
				6 => opa_add_tags(self::id(), self::tags()),
				7 => opa_add_event(self::id(), self::key(), self::tags(), self::time()),
				8 => opa_add_link(self::id(), self::chance(2) ? self::LINK : str_pad(self::bytes(16), 55, '-'), self::tags()),
				9 => opa_set_parent(self::id(), self::id()),
				10 => opa_set_name(self::id(), self::key()),
				11 => opa_set_status(self::id(), mt_rand(-1, 4), self::key()),
				12 => opa_record_exception(self::id(), new Odd(), self::tags()),
				13 => opa_track_error(new Odd()),
				14 => opa_trace(self::key(), static fn (): string => self::act(), self::tags()),
				15 => opa_dump(self::value(), $GLOBALS),
				16 => self::chance(2) ? opa_flush(0) : opa_status(),
				17 => self::switch(),
				18 => self::startFiber(),
				19 => self::useFiber(),
				20 => self::$ids[mt_rand(0, 60)] = opa_start_trace(self::key(), self::tags(), self::headers(), mt_rand(-1, 7)),
				21 => opa_end_trace(self::id()),
				22 => self::chance(2) ? opa_propagation_headers(self::id()) : opa_end_trace(opa_root_span()),
			};
		} catch (Exception | FiberError) {
		} finally {
			self::$depth--;
		}
		return 'acted';
	}

	public static function chance(int $of): bool
	{
		return mt_rand(1, $of) === 1;
	}

	/** Of a message, or nonsense. */
	private static function headers(): ?array
	{
		return match (mt_rand(0, 4)) {
			0 => null,
			1 => ['traceparent' => self::LINK, 'tracestate' => [self::key(), 'a=1'], 'BAGGAGE' => self::bytes(20)],
			2 => ['Traceparent' => [substr(self::LINK, 0, -1) . '0']],
			3 => [self::key() => self::value(), 'traceparent' => self::value()],
			4 => ['traceparent' => self::LINK, 'TraceParent' => self::bytes(55)],
		};
	}

	private static function switch(): void
	{
		self::chance(2) ? opa_disable() : @ini_set('opa.enabled', ['0', '1', 'bad'][mt_rand(0, 2)]);
		self::chance(4) || opa_enable();
	}

	private static function startFiber(): void
	{
		$fiber = new Fiber(static function (): void {
			self::act();
			Fiber::suspend();
			self::act();
			self::chance(3) && throw new Odd();
		});
		self::$fibers[mt_rand(0, 9)] = $fiber;
		$fiber->start();
	}

	private static function useFiber(): void
	{
		$fiber = self::$fibers[mt_rand(0, 9)] ?? null;
		if (self::chance(3)) {
			unset(self::$fibers[mt_rand(0, 9)]);
		} elseif ($fiber?->isSuspended()) {
			$fiber->resume();
		}
		self::chance(20) && gc_collect_cycles();
	}

	private static function id(): string
	{
		return self::$ids[array_rand(self::$ids)];
	}

	private static function key(): string
	{
		return self::chance(2) ? self::KEYS[array_rand(self::KEYS)] : str_repeat('k', mt_rand(1, 3000));
	}

	private static function tags(): array
	{
		$tags = [];
		for ($i = mt_rand(0, 14); $i > 0; $i--) {
			$tags[self::chance(4) ? $i : self::key() . $i] = self::value();
		}
		return $tags;
	}

	private static function bytes(int $length): string
	{
		return substr(md5((string) mt_rand(), true), 0, $length);
	}

	private static function time(): int|float|null
	{
		$times = [null, null, 0, -1, time(), microtime(true), PHP_INT_MAX, PHP_INT_MIN, NAN, INF, 1e300];
		return $times[array_rand($times)];
	}

	private static function value(int $depth = 0): mixed
	{
		return match (mt_rand(0, 12)) {
			0 => null,
			1 => self::chance(2),
			2 => mt_rand() - mt_rand(),
			3 => [NAN, -INF, -0.0, 2.5][mt_rand(0, 3)],
			4 => self::bytes(mt_rand(0, 16)),
			5 => str_repeat('é', mt_rand(0, 20000)),
			6, 7 => new Texty(),
			8 => new DateTimeImmutable(),
			9 => fopen('php://memory', 'r'),
			10 => new Odd(),
			default => self::compound($depth),
		};
	}

	private static function compound(int $depth): array|object
	{
		$array = [];
		for ($i = mt_rand(0, 6); $i > 0; $i--) {
			$array[self::chance(2) ? $i : self::bytes(3)] = $depth < 5 ? self::value($depth + 1) : $i;
		}
		if (self::chance(5)) {
			$array['self'] = &$array;
		}
		self::$held[] = &$array;
		return self::chance(3) ? (object) $array : $array;
	}
}

final class Texty
{
	public function __toString(): string
	{
		if (Mischief::chance(5)) {
			throw new Odd();
		}
		Mischief::chance(200) && Fiber::getCurrent() !== null && Fiber::suspend();
		return Mischief::act();
	}

	public function __destruct()
	{
		Mischief::chance(4) && Mischief::act();
	}
}

final class Exits
{
	public function __toString(): string
	{
		exit(0);
	}
}

final class Odd extends Exception
{
	public function __construct()
	{
		parent::__construct("m\xff", 3, Mischief::chance(2) ? new RuntimeException('before') : null);
		if (Mischief::chance(3)) {
			$this->message = ['no', 'text'];
		}
	}
}

mt_srand((int) $argv[1]);
Mischief::run((int) $argv[2]);
