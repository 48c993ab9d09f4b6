<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title><?= $e($title) ?></title>
<style>
	:root { --ink: #23282f; --paper: #fbfaf7; --line: #e3dfd6; --accent: #9c4a1a; }
	body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 Georgia, serif; }
	header, main { max-width: 46rem; margin: auto; padding: 1rem 1.5rem; }
	header { display: flex; gap: 1.5rem; align-items: baseline; border-bottom: 1px solid var(--line); }
	header strong { font-size: 1.25rem; flex: 1; }
	a { color: var(--accent); text-decoration: none; }
	a:hover { text-decoration: underline; }
	table { width: 100%; border-collapse: collapse; }
	td { padding: .6rem 0; border-bottom: 1px solid var(--line); }
	td:last-child { text-align: right; font-variant-numeric: tabular-nums; }
	input, button { font: inherit; padding: .35rem .7rem; border: 1px solid var(--line); border-radius: .3rem; }
	input[type=number] { width: 4rem; }
	button { background: var(--accent); border-color: var(--accent); color: #fff; cursor: pointer; }
	.price { font-size: 1.4rem; }
	.quiet { color: #7a7468; }
</style>
<header>
	<strong><a href="/">Good things</a></strong>
	<a href="/cart">Cart</a>
</header>
<main>
	<h1><?= $e($title) ?></h1>
	<?= $content ?>
</main>
