<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Decides what is read: as which user, from which spools into which store. The order is: as root,
 * have the command run by the user whose traces they are; bring in the journals; choose the store.
 */
final class Sources
{
	/** So many other users are named at most: anybody can make directories that look like theirs. */
	private const NAMED = 8;

	/** Where a spool leads only its owner may see. */
	private const GROUP = 'A store that is open to a group of yours (opa.store_group):  opa list --store PATH';

	private ?Store $store = null;

	/** @var ?list<Spool> */
	private ?array $spools = null;

	public function __construct(private readonly Environment $env, private readonly Options $options)
	{
		foreach (['store', 'spool', 'user'] as $name) {
			if ($options->get($name) === '') {
				throw new UsageError("--$name needs a value");
			}
		}
	}

	/** Whose traces they are, if root is to see them and they are not root's own; else null. */
	public function otherOwner(Context $context): ?Identity
	{
		$wanted = $this->wanted();
		if ($this->env->user->uid !== 0) {
			return null;
		}
		$who = $wanted ?? $this->ownerOfNamed() ?? $this->onlyOwner($context);
		return $who->uid === 0 ? null : $who;
	}

	public function store(Context $context): Store
	{
		if ($this->store === null) {
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

	/** @return list<Spool> the user's own */
	public function spools(): array
	{
		return array_values(array_filter($this->allSpools(), static fn (Spool $s): bool => $s->mine));
	}

	/** @return list<Spool> */
	private function allSpools(): array
	{
		if ($this->spools === null) {
			$given = $this->options->get('spool');
			$this->spools = $given === null ? (new Places($this->env))->spools() : [$this->spoolAt($given)];
		}
		return $this->spools;
	}

	private function spoolAt(string $path): Spool
	{
		$spool = Spool::at($path, $this->env->user->uid) ?? throw new Problem("no spool at $path");
		if (!$spool->mine) {
			$owner = Identity::byUid($spool->owner);
			throw new Problem("$path belongs to $owner->name", 'Try:  ' . $this->env->commandAs($owner));
		}
		return $spool;
	}

	private function wanted(): ?Identity
	{
		$name = $this->options->get('user');
		return $name === null ? null : (Identity::byName($name)
			?? throw new Problem("no user is called '$name'"));
	}

	private function ownerOfNamed(): ?Identity
	{
		$store = $this->options->get('store');
		$path = $store === null ? $this->options->get('spool') : Store::file($store);
		if ($path === null) {
			return null;
		}
		$stat = OwnFile::stat(realpath($path) ?: $path);
		return $stat === null ? $this->env->user : Identity::byUid($stat['uid']);
	}

	/**
	 * Root's own traces if there are any, else those of the only user who has some. Nothing that a
	 * user can choose (a time, a name) decides between several.
	 */
	private function onlyOwner(Context $context): Identity
	{
		$others = (new Places($this->env))->others($this->allSpools());
		ksort($others);
		if ($this->hasTraces()) {
			if ($others !== []) {
				$context->note("these are root's own traces. There are also those of "
					. implode(', ', $this->names($others)) . ' (--user)');
			}
			return $this->env->user;
		}
		if (count($others) > 1) {
			throw new Problem('several users have traces',
				"See them with:\n" . $this->commands($others));
		}
		return $others === [] ? $this->env->user : Identity::byUid(array_key_first($others));
	}

	private function hasTraces(): bool
	{
		foreach ($this->spools() as $spool) {
			if ($spool->journals('live') !== [] || $spool->journals('sealed') !== []) {
				return true;
			}
		}
		foreach ((new Places($this->env))->stores($this->allSpools()) as $path => $owner) {
			try {
				if ($owner === $this->env->user->uid && Store::open($path, $this->env)->newest() > 0) {
					return true;
				}
			} catch (Problem) {
				return true; // it is said when it is opened to be read
			}
		}
		return false;
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
			return Store::open(Store::file($given), $this->env);
		}
		$opened = [];
		$failure = null;
		foreach ($this->candidates() as $path => $owner) {
			try {
				$store = Store::open((string) $path, $this->env);
				$opened[] = ['store' => $store, 'newest' => $store->newest()];
			} catch (Problem $e) {
				$failure = $e;
			}
		}
		if ($opened === []) {
			throw $failure ?? $this->nothing();
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
	 * The user's own stores; where there is none, those of one other user that are open to a group.
	 * @return array<string, int>
	 */
	private function candidates(): array
	{
		$places = new Places($this->env);
		$stores = $this->options->has('spool') ? $places->fit($this->spools())
			: $places->stores($this->allSpools());
		$wanted = $this->wanted()?->uid;
		$me = $this->env->user->uid;
		$owners = array_values(array_unique($stores));
		if ($wanted === null && !in_array($me, $owners, true) && count($owners) > 1) {
			throw new Problem("several users' traces may be read", "Choose:\n"
				. implode("\n", array_map(fn (string $n): string => "  --user $n",
				$this->names(array_fill_keys($owners, '')))));
		}
		$wanted ??= in_array($me, $owners, true) ? $me : ($owners[0] ?? $me);
		return array_filter($stores, static fn (int $owner): bool => $owner === $wanted);
	}

	private function nothing(): Problem
	{
		$me = $this->env->user;
		$wanted = $this->wanted();
		if ($wanted !== null && $wanted->uid !== $me->uid) {
			return new Problem("there is no trace of $wanted->name's that $me->name may read",
				'Try:  ' . $this->env->commandAs($wanted) . "\n" . self::GROUP);
		}
		$waiting = 0;
		$collectors = [];
		foreach ($this->spools() as $spool) {
			$waiting += count($spool->localJournals());
			$collectors = [...$collectors, ...$spool->collectors()];
		}
		if ($waiting > 0) {
			return new Problem("nothing of $me->name's has reached a store yet, "
				. Format::plural($waiting, 'journal') . ' wait', "See why:  opa status");
		}
		if ($collectors !== []) {
			return new Problem("none of $me->name's traces are here: they are sent to "
				. implode(', ', array_unique($collectors)), "How that is doing:  opa status");
		}
		$others = $wanted === null ? (new Places($this->env))->others($this->allSpools()) : [];
		if ($others !== []) {
			ksort($others);
			$has = count($others) === 1 ? 'has' : 'have';
			return new Problem("$me->name has no traces, but " . implode(', ', $this->names($others))
				. " $has a place for them", "See them with:\n" . $this->commands($others) . "\n" . self::GROUP);
		}
		return new Problem("no traces of $me->name's were found",
			"Is the extension loaded?  php -m | grep opa\n"
			. "It records from the next request or script on. What is known so far:  opa status");
	}

	/**
	 * @param array<int, string> $users uid => anything
	 * @return list<string>
	 */
	private function names(array $users): array
	{
		$uids = array_keys($users);
		$names = array_map(static fn (int $uid): string => Identity::byUid($uid)->name,
			array_slice($uids, 0, self::NAMED));
		return count($uids) > self::NAMED ? [...$names, count($uids) - self::NAMED . ' more'] : $names;
	}

	/** @param array<int, string> $users */
	private function commands(array $users): string
	{
		$lines = [];
		foreach (array_slice($users, 0, self::NAMED, true) as $uid => $path) {
			$lines[] = '  ' . $this->env->commandAs(Identity::byUid($uid)) . "  ($path)";
		}
		return implode("\n", $lines);
	}
}
