console.log(`post has ${process.env['STATE_kept']}`);
