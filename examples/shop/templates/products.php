<form><input name="q" value="<?= $e($search) ?>" placeholder="What are you looking for?"> <button>Search</button></form>
<table>
<?php foreach ($products as $product): ?>
	<tr><td><a href="/product/<?= $product['id'] ?>"><?= $e($product['name']) ?></a><td><?= $money($product['cents']) ?>
<?php endforeach ?>
</table>
<?php if ($products === []): ?>
	<p class="quiet">Nothing like that.
<?php endif ?>
