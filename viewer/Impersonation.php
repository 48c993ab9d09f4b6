<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Root reads another user's traces by a process that becomes that user for good: SQLite makes files
 * beside a store even for a reader, and what root made there would be in its owner's way.
 *
 * That user may be hostile, and may do to a process of his what he likes. So it is started with
 * nothing of root's: it is in a session of its own and has no terminal (which he could type into),
 * its descriptors are pipes, its environment is made for it; what it says goes through a Relay.
 */
final class Impersonation
{
	/** Tells the process that was started whose it has to become, and what its pipes lead to. */
	private const VARIABLE = 'OPA_VIEWER_AS';

	/** What of root's environment it gets. */
	private const KEPT = ['PATH', 'TZ', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TERM', 'NO_COLOR', 'OPA_EXPORTER',
		'PHPRC', 'PHP_INI_SCAN_DIR', 'XDEBUG_MODE'];

	public function __construct(private readonly Environment $env)
	{
	}

	/** As root: the same command again, as that user. Its exit code. */
	public function run(Identity $who, Output $out, Output $err, bool $verbatim): int
	{
		$command = self::ownCommand();
		if (!function_exists('posix_setuid') || $command === null) {
			throw new Problem("cannot become $who->name: PHP's posix extension or /proc is missing",
				'Try:  ' . $this->env->commandAs($who, true));
		}
		$variables = array_intersect_key($this->env->variables, array_flip(self::KEPT));
		$variables = ['HOME' => $who->home ?? '/', 'USER' => $who->name, 'LOGNAME' => $who->name,
			'COLUMNS' => (string) $out->columns,
			self::VARIABLE => "$who->uid " . (int) $out->terminal . ' ' . (int) $err->terminal] + $variables;
		$pipes = [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']];
		$process = proc_open($command, $pipes + self::otherDescriptors(), $ends, null, $variables);
		if ($process === false) {
			throw new Problem("cannot become $who->name: $command[0] could not be started");
		}
		return (new Relay($out, $err, $verbatim))->run($process, $ends);
	}

	/** In the process that run() started: becomes the user. Elsewhere it does nothing. */
	public function complete(): void
	{
		$order = $this->env->get(self::VARIABLE);
		if ($order === null || $this->env->user->uid !== 0
				|| preg_match('/^([0-9]+) ([01]) ([01])$/D', $order, $m) !== 1) {
			return;
		}
		$who = Identity::byUid((int) $m[1]);
		// The checkout may lie where that user cannot read.
		foreach (glob(__DIR__ . '/[A-Z]*.php') ?: [] as $file) {
			class_exists(__NAMESPACE__ . '\\' . basename($file, '.php'));
		}
		if (posix_setsid() < 0 || !posix_setgid($who->gid) || !posix_initgroups($who->name, $who->gid)
				|| !posix_setuid($who->uid) || posix_geteuid() !== $who->uid) {
			throw new Problem("cannot become $who->name: " . posix_strerror(posix_get_last_error()),
				'Try:  ' . $this->env->commandAs($who, true));
		}
		putenv(self::VARIABLE);
		unset($this->env->variables[self::VARIABLE]);
		$this->env->user = $who;
		$this->env->relay = [$m[2] === '1', $m[3] === '1'];
	}

	/** @return ?non-empty-list<string> how this process was started; null where that cannot be known */
	private static function ownCommand(): ?array
	{
		$line = (string) @file_get_contents('/proc/self/cmdline');
		$words = explode("\0", substr($line, 0, -1));
		return count($words) < 2 ? null : [PHP_BINARY, ...array_slice($words, 1)];
	}

	/**
	 * Descriptors that this process was started with beside the usual three: nothing of them is left.
	 * @return array<int, array{string, string, string}>
	 */
	private static function otherDescriptors(): array
	{
		$others = [];
		foreach (@scandir('/proc/self/fd') ?: [] as $name) {
			if ((int) $name > 2 && @readlink("/proc/self/fd/$name") !== false) {
				$others[(int) $name] = ['file', '/dev/null', 'r'];
			}
		}
		return $others;
	}
}
