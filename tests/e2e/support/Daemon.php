<?php

declare(strict_types=1);

namespace Opa\Tests;

/** A server that runs in the foreground as our child. */
final class Daemon
{
	/** @var resource */
	private $process;
	public readonly int $pid;

	/**
	 * @param list<string> $command
	 * @param array<string, string> $env
	 */
	public function __construct(array $command, array $env, private readonly string $log)
	{
		$out = ['file', $log, 'a'];
		$this->process = proc_open($command, [['file', '/dev/null', 'r'], $out, $out], $pipes, '/', $env);
		$this->pid = proc_get_status($this->process)['pid'];
	}

	public function isRunning(): bool
	{
		return is_resource($this->process) && proc_get_status($this->process)['running'];
	}

	public function signal(int $signal): void
	{
		if ($this->isRunning()) {
			posix_kill($this->pid, $signal);
		}
	}

	/** Waits for its end; kills it when that does not come. */
	public function stop(int $signal = SIGTERM): void
	{
		if (!is_resource($this->process)) {
			return;
		}
		$this->signal($signal);
		for ($i = 0; $i < 3000 && $this->isRunning(); $i++) {
			usleep(10_000);
		}
		$late = $this->isRunning();
		if ($late) {
			$this->signal(SIGKILL);
		}
		proc_close($this->process);
		if ($late) {
			throw new \RuntimeException("$this->pid did not end on signal $signal: " . $this->words());
		}
	}

	/** The end of what it has said. */
	public function words(): string
	{
		return substr((string) @file_get_contents($this->log), -4000);
	}
}
