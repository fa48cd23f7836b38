// Does not even finish loading.
for (;;);
