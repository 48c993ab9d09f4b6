<?php if ($items === []): ?>
	<p class="quiet">It is empty.
<?php else: ?>
	<table>
	<?php foreach ($items as $item): ?>
		<tr><td><?= $item['quantity'] ?> × <?= $e($item['name']) ?><td><?= $money($item['cents'] * $item['quantity']) ?>
	<?php endforeach ?>
		<tr><td><b>Together</b><td><b><?= $money($total) ?></b>
	</table>
	<form method="post" action="/checkout"><p><button>Buy</button></form>
<?php endif ?>
