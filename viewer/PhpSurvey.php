<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The PHPs of this machine: which of them load the extension, and what they are set to. */
final class PhpSurvey
{
	private const TOPIC = 'PHP';
	private const DIRECTORIES = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];
	private const NAME = '~^php(-fpm|-cgi)?[0-9.]*$~D';
	private const TREES = '/etc/php/*/*/conf.d';
	private const POOLS = '/etc/php/*/fpm/pool.d/*.conf';

	/** @var list<PhpProbe> that could be asked */
	public readonly array $probes;

	/** @var list<Finding> of those that could not */
	private array $unknown = [];

	public function __construct(private readonly Environment $env)
	{
		$probes = [];
		foreach ($this->binaries() as $path) {
			if (!$this->isTrusted($path)) {
				$this->unknown[] = Finding::warn(self::TOPIC, "$path was not asked: it is not root's or "
					. "{$env->user->name}'s alone", "ask it yourself:  $path -i");
				continue;
			}
			$probe = new PhpProbe($path, $this->environment($path));
			if ($probe->failure !== '') {
				$this->unknown[] = Finding::warn(self::TOPIC, "$path could not be asked: $probe->failure", "try:  $path -i");
			} else {
				$probes[] = $probe;
			}
		}
		$this->probes = $probes;
	}

	/** @return list<Finding> where the extension is loaded, and with which settings */
	public function findings(): array
	{
		$findings = [];
		$any = false;
		foreach ($this->probes as $probe) {
			$any = $any || $probe->opa !== null;
			array_push($findings, ...$this->ofProbe($probe));
		}
		foreach ($this->trees() as $directory => $sapi) {
			[$finding, $loads] = $this->ofTree($directory, $sapi);
			$any = $any || $loads;
			$findings[] = $finding;
		}
		if (!$any) {
			$findings[] = Finding::fail(self::TOPIC, 'no PHP that was found loads opa: nothing is recorded',
				'put  extension=opa.so  into php.ini or a file of its conf.d, and restart the server');
		}
		return [...$findings, ...$this->unknown, ...$this->environmentFindings()];
	}

	/** @return list<PhpProbe> that have the extension, the command line's first */
	public function withOpa(): array
	{
		$with = array_values(array_filter($this->probes, static fn (PhpProbe $p): bool => $p->opa !== null));
		usort($with, static fn (PhpProbe $a, PhpProbe $b): int => ($b->sapi === 'cli') <=> ($a->sapi === 'cli'));
		return $with;
	}

	/** @return array<string, string> what it sees; a server's does not see this shell's OTEL_* */
	public function environment(string $path): array
	{
		return preg_match('~/php-fpm[0-9.]*$~D', $path) !== 1 ? $this->env->variables
			: array_filter($this->env->variables, static fn (string $n): bool => !str_starts_with($n, 'OTEL_'), ARRAY_FILTER_USE_KEY);
	}

	/** @return list<Finding> */
	private function ofProbe(PhpProbe $p): array
	{
		$name = "$p->sapi $p->version ($p->path)";
		if ($p->opa === null) {
			$where = $p->scanDirectory === '' ? 'its php.ini' : "a file of $p->scanDirectory";
			return [Finding::warn(self::TOPIC, "$name does not load opa", "to record it:  extension=opa.so  in $where")];
		}
		$findings = [$p->opa === Application::VERSION ? Finding::ok(self::TOPIC, "$name has opa $p->opa")
			: Finding::fail(self::TOPIC, "$name has opa $p->opa, this command is of " . Application::VERSION,
				'install opa.so, opa-exporter and this command from one build, and restart the server')];
		if (str_starts_with($p->problem, 'opa.enabled is off') || str_starts_with($p->problem, 'OTEL_TRACES_EXPORTER')) {
			$findings[] = Finding::fail('Settings', "$name records nothing: $p->problem", 'switch it on where it was switched off');
		} elseif ($p->problem !== '') {
			$findings[] = Finding::warn('Settings', "$name: $p->problem");
		}
		foreach ($p->warnings as $warning) {
			$findings[] = Finding::warn('Settings', "$name: $warning", 'correct or remove it');
		}
		$set = [];
		foreach ($p->settings as $setting => ['value' => $value, 'source' => $source]) {
			if ($source !== 'default') {
				$set[] = "$setting=" . ($value === '' ? '""' : $value) . " ($source)";
			}
		}
		$findings[] = Finding::ok('Settings', "$name: " . ($set === [] ? 'all as they are by default' : implode(', ', $set)));
		return $findings;
	}

	/** @return array{Finding, bool} and whether the extension is loaded there */
	private function ofTree(string $directory, string $sapi): array
	{
		if (!is_readable($directory)) {
			return [Finding::warn(self::TOPIC, "$directory may not be read: whether $sapi loads opa is not known",
				'as root:  sudo opa doctor'), false];
		}
		$unread = [];
		foreach ([...(glob("$directory/*.ini") ?: []), dirname($directory) . '/php.ini'] as $file) {
			$text = is_file($file) && is_readable($file) ? file_get_contents($file) : null;
			if ($text !== null && preg_match('~^\s*extension\s*=\s*"?(?:\S*/)?opa(?:\.so)?"?\s*(?:;.*)?$~m', $text) === 1) {
				return [Finding::ok(self::TOPIC, "$sapi: $file loads opa (its program could not be asked)"), true];
			}
			array_push($unread, ...($text === null && is_file($file) ? [$file] : []));
		}
		if ($unread !== []) {
			return [Finding::warn(self::TOPIC, implode(', ', $unread) . " may not be read: whether $sapi loads opa is not known",
				'as root:  sudo opa doctor'), false];
		}
		return [Finding::warn(self::TOPIC, "$sapi: no file of $directory loads opa",
			"to record it:  extension=opa.so  in a file of $directory"), false];
	}

	/**
	 * Trees of ini files of servers that have no program of their own to be asked.
	 * @return array<string, string> conf.d => what it is of
	 */
	private function trees(): array
	{
		$asked = array_map(static fn (PhpProbe $p): string => $p->scanDirectory, $this->probes);
		$trees = [];
		foreach (glob($this->env->root . self::TREES) ?: [] as $directory) {
			if (!in_array($directory, $asked, true)) {
				$trees[$directory] = basename(dirname($directory)) . ' ' . basename(dirname($directory, 2));
			}
		}
		return $trees;
	}

	/** @return list<Finding> of variables that a pool's workers do not see */
	private function environmentFindings(): array
	{
		$names = array_filter(array_keys($this->env->variables), static fn (string $n): bool => str_starts_with($n, 'OTEL_'));
		sort($names);
		$findings = [];
		foreach ($names === [] ? [] : (glob($this->env->root . self::POOLS) ?: []) as $file) {
			$text = is_readable($file) ? (string) file_get_contents($file) : null;
			if ($text === null) {
				$findings[] = Finding::warn('Variables', "$file may not be read: whether its workers see OTEL_* is not known");
				continue;
			}
			preg_match_all('/^\s*env\[(OTEL_\w+)\]/m', $text, $passed);
			$all = preg_match('/^\s*clear_env\s*=\s*"?(no|off|0|false)\b/mi', $text) === 1;
			$missing = $all ? [] : array_diff($names, $passed[1]);
			$findings[] = $missing === [] ? Finding::ok('Variables', "$file hands on " . implode(', ', $names))
				: Finding::warn('Variables', implode(', ', $missing) . ' of this shell are not seen by the workers of '
					. "$file, which clears the environment", "clear_env = no  or  env[NAME] = value  in $file");
		}
		return $findings;
	}

	/** @return list<string> */
	private function binaries(): array
	{
		$directories = array_map(fn (string $d): string => $this->env->root . $d, self::DIRECTORIES);
		array_unshift($directories, ...array_filter(explode(':', $this->env->get('PATH') ?? ''), static fn (string $d): bool => $d !== '' && $d[0] === '/'));
		$found = [realpath(PHP_BINARY) ?: PHP_BINARY => true];
		foreach (array_unique($directories) as $directory) {
			foreach (glob("$directory/php*") ?: [] as $path) {
				$real = realpath($path);
				if ($real !== false && preg_match(self::NAME, basename($path)) === 1 && is_file($real) && is_executable($real)) {
					$found[$real] = true;
				}
			}
		}
		return array_keys($found);
	}

	/** Root runs nobody else's program. */
	private function isTrusted(string $path): bool
	{
		$stat = @stat($path);
		return $stat !== false && in_array($stat['uid'], [0, $this->env->user->uid], true) && ($stat['mode'] & ($stat['gid'] === 0 ? 0002 : 0022)) === 0;
	}
}
