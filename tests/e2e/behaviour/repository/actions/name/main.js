console.log(`${process.env.GITHUB_ACTION} in the action`);
