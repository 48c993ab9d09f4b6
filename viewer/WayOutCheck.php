<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** `opa doctor`: the way of a trace on this machine: spool, exporter, store. Nothing is made or changed. */
final class WayOutCheck
{
	/** Less than that is as good as full. */
	private const ROOM = 16 << 20;

	/** What opa.spool_max_size is at most where it is not set (export/opa_spool.h). */
	private const SPOOL_MAX = 64 << 20;

	/** @param list<PhpProbe> $probes that have the extension */
	public function __construct(
		private readonly Environment $env,
		private readonly array $probes,
	) {
	}

	/** @return list<Finding> */
	public function spool(Spool $spool): array
	{
		$mount = Mount::of($spool->path);
		$free = (int) @disk_free_space($spool->path);
		$size = array_sum($spool->journals('live')) + array_sum($spool->journals('sealed'));
		$most = $this->spoolMax($spool->path);
		$where = "$spool->path ({$this->env->user->name}'s, " . ($mount === null ? 'file system not known'
			: $mount->type . ($mount->isMemory() ? ', in memory' : ', on a disk')) . ')';
		$findings = [];
		if (!is_writable($spool->path)) {
			$findings[] = Finding::fail('Spool', "$where cannot be written to",
				"give it back to its owner:  chown -R {$this->env->user->name} $spool->path && chmod 700 $spool->path");
		} elseif ($spool->isDiskFull()) {
			$findings[] = Finding::fail('Spool', "$where: the file system is full, new traces are dropped",
				'make room there, or set opa.spool_dir to another place');
		} elseif ($size >= $most) {
			$findings[] = Finding::fail('Spool', "$where holds " . Format::bytes($size) . ' of ' . Format::bytes($most)
				. ' at most: new traces are dropped', 'see below why nothing leaves it, or raise opa.spool_max_size');
		} else {
			$text = "$where holds " . Format::bytes($size) . ' of ' . Format::bytes($most) . ' at most, ' . Format::bytes($free) . ' free there';
			$findings[] = $size > $most / 2 || $free < self::ROOM
				? Finding::warn('Spool', $text, 'it fills up: see below why nothing leaves it, or raise opa.spool_max_size')
				: Finding::ok('Spool', $text);
		}
		if ($spool->isOff()) {
			$findings[] = Finding::fail('Spool', "tracing is switched off: $spool->path/off exists", "rm $spool->path/off");
		}
		return $findings;
	}

	/** Where there is none yet, and nobody is to make one: where the first request will. */
	public function noSpool(): Finding
	{
		$uid = $this->env->user->uid;
		$setting = $this->setting('opa.spool_dir');
		$runtime = (string) $this->env->get('XDG_RUNTIME_DIR');
		$places = $setting !== '' ? [$setting] : array_values(array_filter([$this->env->root . "/run/opa/$uid",
			$this->env->root . "/var/spool/opa/$uid"], 'is_dir'));
		if ($setting === '') {
			$places[] = $runtime !== '' && is_dir($runtime) ? "$runtime/opa" : $this->env->root . "/dev/shm/opa-$uid";
		}
		$place = $places[0];
		$above = self::existing($place);
		if (!is_dir($above) || !is_writable($above)) {
			return Finding::fail('Spool', "none yet, and {$this->env->user->name} may not make $place: $above cannot be written to",
				"let {$this->env->user->name} write there, or set opa.spool_dir to a directory where it may");
		}
		$type = Mount::of($above)->type ?? 'file system not known';
		return Finding::ok('Spool', "none yet; the first request makes one, for {$this->env->user->name} $place ($type)");
	}

	/** @return list<Finding> of each exporter that some PHP would start, else of the one that this command does */
	public function exporters(): array
	{
		$paths = array_filter(array_map(static fn (PhpProbe $p): string => $p->exporter, $this->probes));
		$paths = $paths !== [] ? $paths : array_filter([(new Importer($this->env))->find()]);
		if ($paths === []) {
			return [Finding::fail('Exporter', 'opa-exporter was not found beside opa.so',
				'install it there (make install does), or set opa.exporter_path')];
		}
		return array_map($this->exporter(...), array_values(array_unique($paths)));
	}

	private function exporter(string $path): Finding
	{
		$mount = Mount::of($path);
		if (!is_file($path)) {
			return Finding::fail('Exporter', "$path is not there, or not to be seen by {$this->env->user->name}",
				'install it there (make install does), or set opa.exporter_path');
		}
		if ($mount !== null && $mount->forbidsPrograms()) {
			return Finding::fail('Exporter', "$path lies on $mount->point, which is mounted noexec",
				"mount -o remount,exec $mount->point  or set opa.exporter_path to a copy elsewhere");
		}
		if (!is_executable($path)) {
			return Finding::fail('Exporter', "$path may not be executed by {$this->env->user->name}", "chmod 755 $path");
		}
		$child = Child::run([$path, '--version']);
		if ($child->failed || preg_match('/^opa-exporter (\S+)$/D', trim($child->out), $m) !== 1) {
			return Finding::fail('Exporter', "$path does not answer --version: "
				. Text::safe(substr($child->err, 0, 200) ?: "it ended with code $child->code"), "what it lacks:  ldd $path");
		}
		return $m[1] === Application::VERSION ? Finding::ok('Exporter', "$path is opa-exporter $m[1]")
			: Finding::fail('Exporter', "$path is opa-exporter $m[1], this command is of " . Application::VERSION,
				'install opa.so, opa-exporter and this command from one build, and restart the server');
	}

	/** How the exporter of a spool is doing. */
	public function service(Spool $spool): Finding
	{
		$state = $spool->state();
		$running = $spool->isServed();
		$problem = StatusCommand::problem($spool, $state, $running);
		$who = $running ? 'runs, pid ' . ($state['pid'] ?? '?') : 'does not run; the next request starts it';
		if ($problem !== null) {
			return Finding::fail('Exporter', "of $spool->path: $problem", 'the lines here say why; all of it:  opa status');
		}
		$last = isset($state['last_success']) ? ', last batch ' . Format::ago(time() - (int) $state['last_success']) : '';
		if (isset($state['last_error']) && (int) ($state['last_error_time'] ?? 0) > (int) ($state['last_success'] ?? 0)) {
			return Finding::warn('Exporter', "of $spool->path $who$last; its last error "
				. Format::ago(time() - (int) $state['last_error_time']) . ": $state[last_error]", 'all of it:  opa status');
		}
		return Finding::ok('Exporter', "of $spool->path $who$last");
	}

	/**
	 * @param list<Spool> $spools
	 * @return list<Finding>
	 */
	public function stores(array $spools): array
	{
		$findings = [];
		foreach ((new Places($this->env))->stores($spools) as $path => $owner) {
			if ($owner === $this->env->user->uid) {
				$findings[] = $this->store((string) $path);
			}
		}
		return $findings !== [] ? $findings : [$this->noStore()];
	}

	private function noStore(): Finding
	{
		$me = $this->env->user->name;
		$setting = $this->setting('opa.store_path');
		$above = $setting === '' ? '' : self::existing(dirname(Store::file($setting)));
		return $above !== '' && !(is_dir($above) && is_writable($above))
			? Finding::fail('Store', "none yet, and $me may not make $setting: $above cannot be written to",
				"let $me write there, or set opa.store_path to a directory where it may")
			: Finding::ok('Store', "none of $me's yet; the first trace makes one" . ($setting === '' ? '' : ", at $setting"));
	}

	/** The directory, or the nearest one above it that is there. */
	private static function existing(string $path): string
	{
		while (!file_exists($path) && $path !== '/' && $path !== '.') {
			$path = dirname($path);
		}
		return $path;
	}

	private function store(string $path): Finding
	{
		$free = (int) @disk_free_space(dirname($path));
		$size = (int) @filesize($path) + (int) @filesize("$path-wal");
		if (!is_writable($path) || !is_writable(dirname($path))) {
			return Finding::fail('Store', "$path cannot be written to by {$this->env->user->name}",
				"chown -R {$this->env->user->name} " . dirname($path));
		}
		$text = "$path has " . Format::bytes($size) . ', ' . Format::bytes($free) . ' free there';
		if ($free < self::ROOM) {
			return Finding::fail('Store', "$text: it is full",
				'make room there, or lower opa.store_max_size or opa.store_max_age');
		}
		$most = self::bytes($this->setting('opa.store_max_size') ?: '1G');
		return $most > 0 && $free < $most - $size ? Finding::warn('Store', "$text, less than it may grow to (opa.store_max_size)",
			'lower opa.store_max_size, or make room there') : Finding::ok('Store', $text);
	}

	private function spoolMax(string $path): int
	{
		$set = self::bytes($this->setting('opa.spool_max_size'));
		return $set > 0 ? $set : min(self::SPOOL_MAX, (int) (@disk_total_space($path) / 4));
	}

	private function setting(string $name): string
	{
		foreach ($this->probes as $probe) {
			if ($probe->setting($name) !== '') {
				return $probe->setting($name);
			}
		}
		return '';
	}

	private static function bytes(string $text): int
	{
		return preg_match('/^(\d+)\s*([KMGT]?)/i', $text, $m) !== 1 ? 0
			: (int) $m[1] << 10 * (int) strpos(' KMGT', strtoupper($m[2]) ?: ' ');
	}
}
