<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Decides what is read: as which user, from which spools into which store. The order is: become the
 * user whose files they are, bring in the journals, choose the store.
 */
final class Sources
{
	private ?Store $store = null;
	private bool $entered = false;

	/** @var ?list<Spool> */
	private ?array $spools = null;

	/** @param list<string> $command the command's words, for what is printed and for a restart */
	public function __construct(
		private readonly Environment $env,
		private readonly Options $options,
		private readonly array $command,
	) {
	}

	public function store(Context $context): Store
	{
		if ($this->store === null) {
			$this->enter($context);
			$this->import($context);
			$this->store = $this->choose($context);
		}
		return $this->store;
	}

	/** The store again, after another import; for those who follow it. */
	public function refresh(Context $context): Store
	{
		if ($this->store !== null) {
			$this->import($context);
			if ($this->store->isCurrent()) {
				return $this->store;
			}
			$this->store = null;
		}
		return $this->store($context);
	}

	/** Whether a store was asked for by name. */
	public function isNamed(): bool
	{
		return $this->options->has('store');
	}

	/** @return list<Spool> that this user may bring in from */
	public function spools(): array
	{
		if ($this->spools === null) {
			$given = $this->options->get('spool');
			if ($given !== null) {
				$spool = Spool::at($given) ?? throw new Problem("no spool at $given");
				$this->spools = [$spool];
			} else {
				$this->spools = (new Places($this->env))->spools();
			}
		}
		$uid = $this->env->user->uid;
		return array_values(array_filter($this->spools,
			static fn (Spool $s): bool => $s->readable && $s->owner === $uid));
	}

	/** As root: becomes the user whose traces are to be read. Never writes as root for another. */
	public function enter(Context $context): void
	{
		if ($this->entered) {
			return;
		}
		$this->entered = true;
		$wanted = $this->options->get('user');
		$who = $wanted === null ? null : (Identity::byName($wanted)
			?? throw new Problem("no user is called '$wanted'"));
		if ($this->env->user->uid !== 0) {
			return;
		}
		$who ??= $this->owner($context);
		if ($who->uid !== 0) {
			$this->spools = null;
			(new Impersonation($this->env))->become($who, $this->absolute());
		}
	}

	/** Whose traces root gets to see: of the files that were named, else the newest ones. */
	private function owner(Context $context): Identity
	{
		foreach (['store', 'spool'] as $name) {
			$path = $this->options->get($name);
			if ($path !== null) {
				$path = $name === 'store' && is_file(Store::file($path)) ? Store::file($path) : $path;
				return Identity::byUid((int) (@fileowner($path) ?: 0));
			}
		}
		$activity = $this->activity();
		if ($activity === []) {
			$this->entered = false;
			return $this->env->user;
		}
		arsort($activity);
		$uids = array_keys($activity);
		$chosen = Identity::byUid(array_shift($uids));
		if ($uids !== []) {
			$others = array_map(static fn (int $uid): string => Identity::byUid($uid)->name, $uids);
			$context->note("these are $chosen->name's traces, the newest. There are also those of "
				. implode(', ', $others) . ": --user $others[0]");
		}
		return $chosen;
	}

	/** @return array<int, int> uid => when something of that user's was last written */
	private function activity(): array
	{
		$places = new Places($this->env);
		$spools = $places->spools();
		$last = [];
		foreach ($spools as $spool) {
			$time = $spool->lastWrite();
			if ($time > 0) {
				$last[$spool->owner] = max($last[$spool->owner] ?? 0, $time);
			}
		}
		foreach ($places->stores($spools) as $path => $uid) {
			$time = max((int) @filemtime($path), (int) @filemtime("$path-wal"));
			$last[$uid] = max($last[$uid] ?? 0, $time);
		}
		return $last;
	}

	private function import(Context $context): void
	{
		$this->spools = null; // those who follow a store may have come before its spool
		if ($this->options->has('no-import')) {
			return;
		}
		$importer = new Importer($this->env);
		foreach ($this->spools() as $spool) {
			if ($this->feeds($spool)) {
				$importer->run($spool, $context);
			}
		}
	}

	/** With --store, only spools that lead there (or that were named) are of interest. */
	private function feeds(Spool $spool): bool
	{
		$given = $this->options->get('store');
		if ($given === null || $this->options->has('spool')) {
			return true;
		}
		$file = Store::file($given);
		$file = realpath($file) ?: $file;
		foreach ($spool->storePaths($this->env->root) as $path) {
			if ((realpath($path) ?: $path) === $file) {
				return true;
			}
		}
		return false;
	}

	private function choose(Context $context): Store
	{
		$given = $this->options->get('store');
		if ($given !== null) {
			return Store::open(Store::file($given));
		}
		$places = new Places($this->env);
		$spools = $this->options->has('spool') ? $this->spools() : $places->spools();
		$stores = array_filter($this->candidates($places, $spools), $this->isWanted(...));
		$opened = [];
		$failure = null;
		foreach (array_keys($stores) as $path) {
			try {
				$store = Store::open((string) $path);
				$opened[] = ['store' => $store, 'newest' => $store->newest()];
			} catch (Problem $e) {
				$failure = $e;
			}
		}
		if ($opened === []) {
			throw $failure ?? $this->nothing($places, $spools);
		}
		usort($opened, static fn (array $a, array $b): int => $b['newest'] <=> $a['newest']);
		if (count($opened) > 1) {
			$others = array_map(static fn (array $o): string => $o['store']->path, array_slice($opened, 1));
			$context->note("reading {$opened[0]['store']->path}, which has the newest trace. Also there: "
				. implode(', ', $others) . ' (--store)');
		}
		return $opened[0]['store'];
	}

	/**
	 * @param list<Spool> $spools
	 * @return array<string, int>
	 */
	private function candidates(Places $places, array $spools): array
	{
		if (!$this->options->has('spool')) {
			return array_filter($places->stores($spools), 'is_readable', ARRAY_FILTER_USE_KEY);
		}
		$paths = [];
		foreach ($spools as $spool) {
			foreach ($spool->storePaths($this->env->root) as $path) {
				if (@is_file($path)) {
					$paths[realpath($path)] = (int) fileowner($path);
				}
			}
		}
		return $paths;
	}

	private function isWanted(int $owner): bool
	{
		$wanted = $this->options->get('user');
		$who = $wanted === null ? null : Identity::byName($wanted);
		return $who === null || $who->uid === $owner;
	}

	/** @param list<Spool> $spools */
	private function nothing(Places $places, array $spools): Problem
	{
		$me = $this->env->user;
		$words = implode(' ', array_map(self::quote(...), $this->command));
		$wanted = $this->options->get('user');
		if ($wanted !== null && Identity::byName($wanted)?->uid !== $me->uid) {
			return new Problem("there is no trace of $wanted's that $me->name may read",
				"Try:  sudo opa $words");
		}
		$closed = $places->closed($spools);
		foreach ($places->stores($spools) as $path => $uid) {
			if ($uid !== $me->uid && !is_readable($path)) {
				$closed[$uid] ??= $path;
			}
		}
		foreach ($closed as $uid => $path) {
			$name = Identity::byUid($uid)->name;
			return new Problem("$me->name has no traces, but $name has: $path",
				"See them with:  sudo -u $name opa $words");
		}
		$waiting = 0;
		foreach ($this->spools() as $spool) {
			$waiting += count($spool->journals('live')) + count($spool->journals('sealed'));
		}
		if ($waiting > 0) {
			return new Problem("nothing of $me->name's has reached a store yet, "
				. Format::plural($waiting, 'journal') . ' wait', "See why:  opa status");
		}
		return new Problem("no traces of $me->name's were found",
			"Is the extension loaded?  php -m | grep opa\n"
			. "It records from the next request or script on. What is known so far:  opa status");
	}

	/** @return list<string> the command with paths that hold after a change of directory */
	private function absolute(): array
	{
		$words = $this->command;
		foreach ($words as $i => $word) {
			if (preg_match('/^--(store|spool)=(.*)$/s', $word, $m) === 1) {
				$words[$i] = "--$m[1]=" . (realpath($m[2]) ?: $m[2]);
			} elseif ($i > 0 && in_array($words[$i - 1], ['--store', '--spool'], true)) {
				$words[$i] = realpath($word) ?: $word;
			}
		}
		return $words;
	}

	private static function quote(string $word): string
	{
		return preg_match('~^[\w./:=@%+,-]+$~D', $word) === 1 ? $word : escapeshellarg($word);
	}
}
